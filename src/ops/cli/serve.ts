/** `didit-oidc serve`: the provider, until it is told to stop. */
import type { Command } from 'commander';
import type { JWK } from 'jose';
import type { App } from '../../app.ts';
import type { Configured } from '../../app-doors.ts';
import type { ReadFile } from '../../config/environment.ts';
import type { Config } from '../../config/schema.ts';

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description(
      'run the provider; on SIGHUP, or when a file of it changes, take its configuration anew',
    )
    .option('--config <file>', 'configuration file (or CONFIG_FILE)')
    .action(({ config: fileName }: { config?: string }) => serve(fileName));
}

async function serve(fileName: string | undefined): Promise<void> {
  const { createApp } = await import('../../app.ts');
  const { consoleOrigin } = await import('../../config/addresses.ts');
  const { createLog } = await import('../../web/telemetry.ts');
  const { strangeVariables } = await import('../../config/strange-variables.ts');
  const { createReloader, watchFiles } = await import('../reload.ts');
  const files = watchFiles();
  const load = createLoader(fileName, files.read);
  const first = await load();
  const { config } = first;
  const log = createLog(config.log.level);
  for (const warning of [...strangeVariables(process.env), ...lacking(config)]) log.warn(warning);
  const app = await createApp({
    ...{ ...first, log, readFile: files.read },
    readFrom: { fileName, env: process.env },
  });
  const reloader = createReloader({
    ...{ files, log, clock: Date.now, everySeconds: config.keys.lookEverySeconds },
    apply: () =>
      app.reload(() => {
        files.restart();
        return load();
      }),
    keyMark: (atMs) => app.keyMark(atMs),
  });
  const hasOperators = await isOperated(app);
  const { publicPort, managementPort } = await app.listen();
  await reloader.start();
  process.on('SIGHUP', () => void reloader.reload('SIGHUP'));
  const origin = consoleOrigin(config.management);
  const console = origin === undefined ? {} : { console: `${origin}/console` };
  log.info('ready', { issuer: config.issuer, publicPort, managementPort, ...console });
  if (!hasOperators) log.info('no operator yet: didit-oidc operators link --email ADDRESS');
  stopOnSignal(async (signal) => {
    log.info('stopping', { signal });
    reloader.stop();
    await app.close();
    log.info('stopped');
  });
}

/** What people can do without, and what is worth knowing all the same. */
function lacking({ mode, mail, didit }: Config): string[] {
  const hasNoMail = mode === 'development' && mail.smtpUrl === undefined;
  const hasNoDecoy = didit.decoyPortraitFile === undefined;
  return [
    ...(hasNoMail ? ['no mail server: mails are made and reach nobody'] : []),
    ...(hasNoDecoy
      ? ['no decoyPortraitFile: who tries names can tell which of them have an account']
      : []),
  ];
}

async function isOperated({ perform }: App): Promise<boolean> {
  const { listOperators } = await import('../acts/operators.ts');
  const us = { kind: 'command', name: 'serve', role: 'admin' } as const;
  return (await perform(listOperators, {}, us)).operators.length > 0;
}

/** @returns reads everything that may change, each time anew. */
export function createLoader(
  fileName: string | undefined,
  readFile: ReadFile,
): () => Promise<Configured> {
  let madeUp: { config: Config; jwks: Promise<{ keys: JWK[] }> } | undefined;

  return async function load() {
    const { loadConfig } = await import('../../config/load.ts');
    const { generateJwks } = await import('../../config/keys.ts');
    const { parseClients } = await import('../../oidc/clients.ts');
    const { parseJwks } = await import('../../oidc/keys.ts');
    const { config } = loadConfig({ fileName, env: process.env, readFile });
    // What development leaves out is made up once.
    madeUp ??= { config: await withDevelopmentKeys(config), jwks: generateJwks() };
    const { jwksFile, clientsFile } = config;
    return {
      config: await withDevelopmentKeys(config, madeUp.config),
      jwks: jwksFile ? parseJwks(readFile(jwksFile)) : await madeUp.jwks,
      clients: parseClients(clientsFile ? readFile(clientsFile) : ''),
    };
  };
}

/** Keys that development may leave out are made up, and forgotten at the end. */
export async function withDevelopmentKeys(config: Config, before?: Config): Promise<Config> {
  const { randomKey } = await import('../../config/keys.ts');
  const given = (keys: string[], known: string[] = [randomKey()]): string[] =>
    keys.length > 0 ? keys : known;
  const { cookies, store } = config;
  return {
    ...config,
    cookies: { keys: given(cookies.keys, before?.cookies.keys) },
    store: {
      ...store,
      encryptionKeys: given(store.encryptionKeys, before?.store.encryptionKeys),
    },
  };
}

export function stopOnSignal(stop: (signal: string) => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void stop(signal).then(() => process.exit(0));
    });
  }
}
