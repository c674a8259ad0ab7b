/** `didit-oidc serve`: the provider, until it is told to stop. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { JWK } from 'jose';
import type { Config } from '../../config/schema.ts';

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run the provider')
    .option('--config <file>', 'configuration file (or CONFIG_FILE)')
    .action(async ({ config: fileName }: { config?: string }) => {
      const { loadConfig } = await import('../../config/load.ts');
      await serve(loadConfig({ fileName, env: process.env }).config);
    });
}

async function serve(config: Config): Promise<void> {
  const { createApp } = await import('../../app.ts');
  const { createLog } = await import('../../web/telemetry.ts');
  const { parseClients } = await import('../../oidc/clients.ts');
  const log = createLog(config.log.level);
  if (config.mode === 'development' && config.mail.smtpUrl === undefined) {
    log.warn('no mail server: mails are made and reach nobody');
  }
  const app = await createApp({
    config: await withDevelopmentKeys(config),
    jwks: await readJwks(config),
    clients: parseClients(config.clientsFile ? readFileSync(config.clientsFile, 'utf8') : ''),
    log,
  });
  const { publicPort, managementPort } = await app.listen();
  log.info('ready', { issuer: config.issuer, publicPort, managementPort });
  stopOnSignal(async (signal) => {
    log.info('stopping', { signal });
    await app.close();
    log.info('stopped');
  });
}

/** Keys that development may leave out are made up, and forgotten at the end. */
export async function withDevelopmentKeys(config: Config): Promise<Config> {
  const { randomKey } = await import('../../config/keys.ts');
  const orMadeUp = (keys: string[]): string[] => (keys.length > 0 ? keys : [randomKey()]);
  return {
    ...config,
    cookies: { keys: orMadeUp(config.cookies.keys) },
    store: { ...config.store, encryptionKeys: orMadeUp(config.store.encryptionKeys) },
  };
}

async function readJwks(config: Config): Promise<{ keys: JWK[] }> {
  const { parseJwks } = await import('../../oidc/keys.ts');
  if (config.jwksFile) return parseJwks(readFileSync(config.jwksFile, 'utf8'));
  const { generateJwks } = await import('../../config/keys.ts');
  return generateJwks();
}

export function stopOnSignal(stop: (signal: string) => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void stop(signal).then(() => process.exit(0));
    });
  }
}
