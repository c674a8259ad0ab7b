/** `didit-oidc demo`: provider, Didit simulator and a sample relying party in one process, nothing to set up. */
import type { Config } from '../../config/schema.ts';
import type { Command } from 'commander';

const relyingPartyUrl = 'http://localhost:3002';
const simulatorPort = 3001;
const relyingPartyPort = 3002;

export function addDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('try it: provider, Didit simulator and a sample app on this machine')
    .action(demo);
}

async function demo(): Promise<void> {
  const { fileURLToPath } = await import('node:url');
  const { createApp } = await import('../../app.ts');
  const { generateJwks, randomKey } = await import('../../config/keys.ts');
  const { loadConfig } = await import('../../config/load.ts');
  const { createMailbox } = await import('../../demo/mail-page.ts');
  const { createRelyingParty } = await import('../../demo/relying-party.ts');
  const { createTimeline } = await import('../../demo/timeline.ts');
  const { parseClients } = await import('../../oidc/clients.ts');
  const { actNamed } = await import('../acts/index.ts');
  const { createSimulator } = await import('../../simulator/simulator.ts');
  const { createLog } = await import('../../web/telemetry.ts');
  const { stopOnSignal, withDevelopmentKeys } = await import('./serve.ts');

  const [apiKey, webhookSecret, clientSecret] = [randomKey(), randomKey(), randomKey()];
  const fileName = fileURLToPath(new URL('../../../config/demo.yaml', import.meta.url));
  const flags = { didit: { apiKey, webhookSecrets: [webhookSecret] } };
  const loaded = loadConfig({ fileName, env: demoEnvironment(), flags }).config;
  const config = await withDevelopmentKeys(loaded);
  const { issuer } = config;

  const simulator = await createSimulator({
    apiKeys: { sandbox: [apiKey] },
    webhookSecret,
    webhookUrl: `${issuer}/webhooks/didit`,
    hostedOrigin: config.didit.apiBaseUrl,
    workflows: demoWorkflows(config.didit.workflows),
  });
  const timeline = createTimeline();
  const mailbox = createMailbox();
  const app = await createApp({
    config,
    jwks: await generateJwks(),
    clients: parseClients(JSON.stringify({ clients: demoClients(clientSecret) })),
    log: createLog(config.log.level),
    showTimings: true,
    onEvent: timeline.onEvent,
    onMail: mailbox.onMail,
  });
  const relyingParty = createRelyingParty({
    issuer,
    clientId: 'acme-wiki',
    clientSecret,
    baseUrl: relyingPartyUrl,
    timeline: timeline.of,
    mails: mailbox.latest,
    people: ['ana@example.com', 'ben@example.com', 'chiyo@example.com'],
  });

  await simulator.listen(simulatorPort, '127.0.0.1');
  await app.listen();
  const you = { kind: 'command', name: 'demo', role: 'admin' } as const;
  const made = await app.perform(actNamed('operators.link'), { body: { role: 'admin' } }, you);
  const server = relyingParty.listen(relyingPartyPort, '127.0.0.1');
  process.stdout.write(
    [
      '',
      `provider        ${issuer}`,
      `simulator       ${config.didit.apiBaseUrl}`,
      `sample app      ${relyingPartyUrl}   (open this one and sign in as ana@example.com)`,
      `mails           ${relyingPartyUrl}/mail`,
      `console         ${String(made.link)}   (once, within an hour, makes whoever follows it an admin)`,
      '',
      'Not for production: no face is looked at, and nothing is kept.',
      'ready',
      '',
    ].join('\n'),
  );
  stopOnSignal(async () => {
    server.closeAllConnections();
    server.close();
    await Promise.all([app.close(), simulator.close()]);
  });
}

/** The demo is the same everywhere: of the environment it takes how much to log, and nothing else. */
function demoEnvironment(): Record<string, string | undefined> {
  return { LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn' };
}

function demoWorkflows({ passive, active = '', kyc = '' }: Config['didit']['workflows']) {
  const common = { version: 1, livenessMethod: 'PASSIVE', ttlSeconds: 3600 } as const;
  const selfie = ['LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'] as const;
  return [
    { ...common, id: passive, label: 'Selfie sign-in', features: selfie },
    {
      ...{ ...common, id: active, label: 'Selfie sign-in with movement', features: selfie },
      livenessMethod: 'ACTIVE_3D',
    },
    { ...common, id: kyc, label: 'Enrolment', features: ['ID_VERIFICATION', ...selfie] },
  ] as const;
}

function demoClients(clientSecret: string) {
  return [
    {
      client_id: 'acme-wiki',
      client_name: 'Acme Wiki',
      client_secret: clientSecret,
      redirect_uris: [`${relyingPartyUrl}/callback`],
      post_logout_redirect_uris: [`${relyingPartyUrl}/`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      backchannel_logout_uri: `${relyingPartyUrl}/backchannel-logout`,
      backchannel_logout_session_required: true,
      first_party: true,
      handoff: true,
    },
  ];
}
