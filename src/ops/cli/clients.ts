/** `didit-oidc clients …`: the apps that people sign in to. */
import type { Command } from 'commander';
import { type PerformNamed, all, withActs } from './acting.ts';
import { type OperatorOptions, operatorCommand, print, printAll } from './people.ts';
import { collect } from './typed.ts';

interface FieldOptions extends OperatorOptions {
  name?: string;
  id?: string;
  redirectUri?: string[];
  public?: true;
  firstParty?: boolean;
  handoff?: boolean;
  policy?: string;
  minimumAcr?: string;
  metadata?: string;
}

export function addClientsCommand(program: Command): void {
  const clients = program.command('clients').description('apps that people sign in to');
  operatorCommand(clients, 'list', 'list them: those of the clients file, then those added').action(
    list,
  );
  operatorCommand(clients, 'show <id>', 'show one, and what to type into the app').action(show);
  fieldsOf(operatorCommand(clients, 'add', 'add an app; its secret is printed this once'))
    .option('--id <client-id>', 'its client_id; made up when left out')
    .action(add);
  fieldsOf(
    operatorCommand(clients, 'change <id>', 'change what is given and leave the rest as it is'),
  ).action(change);
  operatorCommand(clients, 'remove <id>', 'remove an app: nobody signs in to it any more').action(
    remove,
  );
  addSecretCommands(clients);
}

function fieldsOf(command: Command): Command {
  return command
    .option('--name <name>', 'what people read')
    .option(
      '--redirect-uri <uri>',
      'where people are sent back to; several times for several',
      collect,
    )
    .option('--public', 'it cannot keep a secret: a page or a program on people’s devices')
    .option('--first-party', 'it belongs to the house: nobody is asked for consent')
    .option('--no-first-party', 'it does not')
    .option('--handoff', 'the selfie may be taken on a phone')
    .option('--no-handoff', 'it may not')
    .option('--policy <name>', 'of a policy that is in force here, or a shipped one')
    .option('--minimum-acr <class>', 'what every sign-in to it is at least')
    .option('--metadata <file>', 'everything else, as OpenID client metadata in a JSON file');
}

async function fieldsIn(options: FieldOptions): Promise<Record<string, unknown>> {
  const { readFile } = await import('node:fs/promises');
  const { metadata: file } = options;
  const rest = file === undefined ? {} : (JSON.parse(await readFile(file, 'utf8')) as object);
  const given = {
    client_name: options.name,
    redirect_uris: options.redirectUri,
    token_endpoint_auth_method: options.public ? 'none' : undefined,
    first_party: options.firstParty,
    handoff: options.handoff,
    policy: options.policy,
    minimum_acr: options.minimumAcr,
  };
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...rest, ...Object.fromEntries(said) };
}

async function list(options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const clients = await all(perform, 'clients.list', 'clients');
    const lines = clients.map(({ client_id: id, source, metadata }) =>
      [String(id), String(source).padEnd('registered'.length), nameIn(metadata)].join('  '),
    );
    printAll(options, { clients }, { lines, next: 'add one: didit-oidc clients add' });
  });
}

const nameIn = (metadata: unknown): string =>
  (metadata as { client_name?: string }).client_name ?? '';

async function show(id: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform, issuer) => {
    await tell(await perform('clients.get', { params: { id } }), issuer, options);
  });
}

async function add(options: FieldOptions): Promise<void> {
  const { usualMetadata } = await import('../../oidc/client-settings.ts');
  const { id } = options;
  const said = await fieldsIn(options);
  const isOnDevices = said['token_endpoint_auth_method'] === 'none';
  const body: Record<string, unknown> = {
    ...usualMetadata[isOnDevices ? 'device' : 'server'],
    ...said,
    ...(id === undefined ? {} : { client_id: id }),
  };
  if (body['client_name'] === undefined) {
    throw new Error(
      'an app has a name, and as a rule where people are sent back to: --name NAME --redirect-uri URI',
    );
  }
  await withActs(options, async (perform, issuer) => {
    await tell(await perform('clients.add', { body }), issuer, options);
  });
}

async function change(id: string, options: FieldOptions): Promise<void> {
  const given = await fieldsIn(options);
  await withActs(options, async (perform, issuer) => {
    const { metadata, version } = await perform('clients.get', { params: { id } });
    const body = { ...(metadata as object), ...given };
    const changed = await perform('clients.change', {
      ...{ params: { id }, body, ifVersion: String(version) },
    });
    await tell(changed, issuer, options);
  });
}

async function remove(id: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const ifVersion = await versionOf(id, perform);
    await perform('clients.remove', { params: { id }, ifVersion });
    print(options, { client_id: id, removed: true }, () => [`${id} is removed`]);
  });
}

const versionOf = async (id: string, perform: PerformNamed): Promise<string> =>
  String((await perform('clients.get', { params: { id } }))['version']);

async function tell(
  client: Record<string, unknown>,
  issuer: string,
  options: OperatorOptions,
): Promise<void> {
  const { settingsFor } = await import('../../oidc/client-settings.ts');
  const { client_id: id, metadata, source, secrets, secret } = client;
  const value = (secret as { value: string } | undefined)?.value;
  const settings = settingsFor({ id: String(id), metadata: metadata as object }, issuer, value);
  const kept = secrets as { id: string; created_at?: string; expires_at?: string }[];
  const { clientId, redirectUris, postLogoutRedirectUris: after, ...others } = settings;
  const shown = {
    ...{ client_id: clientId, redirect_uris: redirectUris, post_logout_redirect_uris: after },
    ...others,
  };
  print(options, { ...client, settings: shown }, () => [
    `client_id        ${settings.clientId}`,
    ...(value === undefined ? [] : [`client_secret    ${value}   (shown this once)`]),
    `issuer           ${settings.issuer}`,
    `discovery        ${settings.discovery}`,
    `authentication   ${settings.authentication}`,
    ...settings.redirectUris.map((uri) => `redirect_uri     ${uri}`),
    `scope            ${settings.scope}`,
    `source           ${String(source)}`,
    ...kept.map(
      (one) =>
        `secret           ${one.id}  ${one.created_at ?? 'in the clients file'}${one.expires_at ? `, until ${one.expires_at}` : ''}`,
    ),
    ...settings.snippets.flatMap(({ software, file, text }) => [
      '',
      `# ${software}: ${file}`,
      ...text.split('\n'),
    ]),
  ]);
}

function addSecretCommands(clients: Command): void {
  const secret = clients.command('secret').description('secrets of apps');
  secret
    .command('make', { isDefault: true })
    .description('make a client secret and the hash to write into the clients file')
    .option('--json', 'print JSON')
    .action(makeSecret);
  operatorCommand(secret, 'add <id>', 'one more secret of an app, printed this once')
    .option('--expires-at <time>', 'when it ends: 2027-01-31T00:00:00Z')
    .action(addSecret);
  operatorCommand(
    secret,
    'remove <id> <secret>',
    'a secret counts no more: by the id that `show` prints',
  ).action(removeSecret);
}

async function makeSecret(options: { json?: true }): Promise<void> {
  const { randomKey } = await import('../../config/keys.ts');
  const { hashSecret } = await import('../../oidc/client-secrets.ts');
  const secret = randomKey();
  const made = { client_secret: secret, client_secret_hash: hashSecret(secret) };
  print(options, made, () => [
    `client_secret (for the relying party):   ${made.client_secret}`,
    `client_secret_hash (for CLIENTS_FILE):   ${made.client_secret_hash}`,
  ]);
}

async function addSecret(
  id: string,
  options: OperatorOptions & { expiresAt?: string },
): Promise<void> {
  const { expiresAt } = options;
  await withActs(options, async (perform) => {
    const added = await perform('clients.add-secret', {
      ...{ params: { id }, ifVersion: await versionOf(id, perform) },
      body: expiresAt === undefined ? {} : { expires_at: expiresAt },
    });
    const { secret } = added as { secret: { id: string; value: string } };
    print(options, { client_id: id, secret }, () => [
      `${secret.value}   (shown this once; its id is ${secret.id})`,
    ]);
  });
}

async function removeSecret(id: string, secret: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const ifVersion = await versionOf(id, perform);
    await perform('clients.remove-secret', { params: { id, secret }, ifVersion });
    print(options, { client_id: id, removed: secret }, () => [`${secret} counts no more`]);
  });
}
