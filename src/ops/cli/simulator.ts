/** `didit-oidc simulator`: the Didit simulator alone, for anybody who integrates Didit. */
import { once } from 'node:events';
import type { Command } from 'commander';

interface Options {
  port: string;
  host: string;
  apiKey: string;
  sandboxApiKey: string;
  webhookSecret: string;
  webhookUrl?: string;
  hostedOrigin?: string;
}

export function addSimulatorCommand(program: Command): void {
  program
    .command('simulator')
    .description('a Didit on this machine: API, hosted page, signed webhooks, faults on demand')
    .option('--port <number>', 'port to listen on', '3001')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--api-key <key>', 'key of the live application', 'simulator-live-key')
    .option('--sandbox-api-key <key>', 'key of the sandbox', 'simulator-sandbox-key')
    .option(
      '--webhook-url <url>',
      'where to send webhooks (more by POST /v3/webhook/destinations/)',
    )
    .option(
      '--webhook-secret <secret>',
      'what signs them',
      'simulator-webhook-secret-for-this-machine',
    )
    .option(
      '--hosted-origin <origin>',
      'origin of the hosted page and of pictures, when another one leads here: a proxy with TLS',
    )
    .action(runSimulator);
}

async function runSimulator(options: Options): Promise<void> {
  const { createSimulator } = await import('../../simulator/simulator.ts');
  const { defaultWorkflows } = await import('../../simulator/options.ts');
  const { webhookSecret, webhookUrl, hostedOrigin } = options;
  const simulator = await createSimulator({
    apiKeys: { live: [options.apiKey], sandbox: [options.sandboxApiKey] },
    webhookSecret,
    ...(webhookUrl === undefined ? {} : { webhookUrl }),
    ...(hostedOrigin === undefined ? {} : { hostedOrigin, mediaOrigin: hostedOrigin }),
  });
  const url = await simulator.listen(Number(options.port), options.host);
  const lines = [
    ['Didit simulator', url],
    ['live API key', options.apiKey],
    ['sandbox API key', options.sandboxApiKey],
    ['webhooks to', webhookUrl ?? 'nowhere (--webhook-url)'],
    ['webhook secret', webhookSecret],
    ...defaultWorkflows.map(({ id, label }) => [`workflow ${id}`, label]),
    ['faults', `POST ${url}/control/faults`],
    ['log', `${url}/control/log`],
  ];
  process.stdout.write(`${lines.map((line) => line.join(': ')).join('\n')}\nready\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await simulator.close();
}
