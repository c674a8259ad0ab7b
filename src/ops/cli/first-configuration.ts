/** What `init` writes. */
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { safeParse } from 'zod';
import { isPlainHttp } from '../../config/addresses.ts';
import { valueFromText } from '../../config/environment.ts';
import { renderExample } from '../../config/example.ts';
import { generateJwks, randomKey } from '../../config/keys.ts';
import { settingByKey } from '../../config/settings.ts';

export interface FirstConfiguration {
  issuer: string;
  directory: string;
  /** For docker-compose.yml, which mounts the directory at `containerDirectory`. */
  compose?: true | undefined;
  /** What was said on the command line, by the option's name. */
  answers?: Readonly<Record<string, string>>;
}

export interface Written {
  issuer: string;
  directory: string;
  files: readonly string[];
  /** What is empty: of these files, and of the variables of secrets.env. */
  toFill: { files: readonly string[]; variables: readonly string[] };
  /** For Didit's console. */
  webhookUrl: string;
}

interface NewFile {
  name: string;
  text: string;
  /** For the owner only when it holds keys. */
  permissions: number;
}

/** The settings that options of `init` answer. */
const settingOf: Readonly<Record<string, string>> = {
  issuer: 'issuer',
  operator: 'operator.name',
  support: 'operator.supportAddress',
  dataController: 'operator.dataController',
  privacy: 'operator.privacyUrl',
  registration: 'registration',
  smtpUrl: 'mail.smtpUrl',
  mailFrom: 'mail.from',
  storeUrl: 'store.url',
  trustProxy: 'trustProxy',
};
/** They may have passwords in them, and the file with the settings may be read by others. */
const secretAnswers = new Set(['mail.smtpUrl', 'store.url']);
/** Secrets that are rotated lie in a file each, where `keys rotate` can put the next one. */
const secretFiles = {
  ...{ cookies: 'cookie-keys', store: 'store-keys' },
  ...{ apiKey: 'didit-api-key', webhook: 'webhook-secrets' },
} as const;
const containerDirectory = '/etc/didit-oidc';
const rehearsal =
  'On one machine `didit-oidc demo` does without; docs/didit.md has a rehearsal with a simulator.';
/** The user of the image, who has to read the files. */
const containerUser = 1000;

/** @throws when an answer is not one, or any of the files is there already; nothing is written then. */
export async function writeFirstConfiguration(first: FirstConfiguration): Promise<Written> {
  const { issuer, directory, compose } = first;
  const trustProxy = compose ? '2' : '1';
  const values = readAnswers({ issuer, trustProxy, ...first.answers });
  const place = compose ? containerDirectory : resolve(directory);
  const secrets = secretsFile(values, place);
  const files: NewFile[] = [
    { name: 'config.yaml', text: configFile(values, compose), permissions: 0o644 },
    { name: 'jwks.json', text: await keysFile(), permissions: 0o600 },
    { name: secretFiles.cookies, text: `${randomKey()}\n`, permissions: 0o600 },
    { name: secretFiles.store, text: `${randomKey()}\n`, permissions: 0o600 },
    { name: secretFiles.apiKey, text: '', permissions: 0o600 },
    { name: secretFiles.webhook, text: '', permissions: 0o600 },
    { name: 'secrets.env', text: secrets, permissions: 0o600 },
    ...(compose
      ? [{ name: 'compose.env', text: composeFile(resolve(directory)), permissions: 0o644 }]
      : []),
  ];
  const present = files.filter(({ name }) => existsSync(join(directory, name)));
  if (present.length > 0) {
    const names = present.map(({ name }) => name).join(', ');
    throw new Error(`${names} in ${directory} would be overwritten; nothing was written`);
  }
  mkdirSync(directory, { recursive: true });
  for (const { name, text, permissions } of files) {
    const file = join(directory, name);
    // "wx" keeps the promise even when somebody else writes the same file at this moment.
    writeFileSync(file, text, { mode: permissions, flag: 'wx' });
    if (compose && process.getuid?.() === 0) chownSync(file, containerUser, containerUser);
  }
  const empty = files.filter(({ text }) => text === '').map(({ name }) => name);
  const variables = [...secrets.matchAll(/^(\w+)=$/gm)].map(([, name = '']) => name);
  return {
    ...{ issuer, directory: resolve(directory) },
    files: files.map(({ name }) => name),
    toFill: { files: empty, variables },
    webhookUrl: `${issuer}/webhooks/didit`,
  };
}

function readAnswers(answers: Readonly<Record<string, string>>): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [name, text] of Object.entries(answers)) {
    const setting = settingByKey.get(settingOf[name] ?? '');
    if (!setting) throw new Error(`--${dashed(name)} answers no setting`);
    const value = valueFromText(setting.schema, text);
    if (!safeParse(setting.schema, value).success) {
      throw new Error(`--${dashed(name)} must be ${setting.expects}`);
    }
    if (name === 'issuer' && isPlainHttp(text)) {
      throw new Error(`--issuer must be https: production takes no other. ${rehearsal}`);
    }
    values.set(setting.key, value);
  }
  return values;
}

const dashed = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

function configFile(values: ReadonlyMap<string, unknown>, compose: true | undefined): string {
  const introduction = [
    'Every setting of didit-oidc; what is commented out shows the default or an example.',
    'The environment wins over this file. Secrets do not belong here: secrets.env says where they are.',
  ];
  const open = [...values].filter(([key]) => !secretAnswers.has(key));
  // The default would lie wherever a command happens to be called; here it lies beside this file.
  const isDefault = !compose && !values.has('store.url');
  const store: [string, unknown][] = isDefault
    ? [['store.url', settingByKey.get('store.url')?.default]]
    : [];
  return renderExample(introduction, new Map([...open, ['jwksFile', 'jwks.json'], ...store]));
}

async function keysFile(): Promise<string> {
  return `${JSON.stringify(await generateJwks(), null, 2)}\n`;
}

function mayEnrol(values: ReadonlyMap<string, unknown>): boolean {
  const registration = values.get('registration');
  return registration === 'invite' || registration === 'open';
}

/** @param place of the files, as the provider sees it. */
function secretsFile(values: ReadonlyMap<string, unknown>, place: string): string {
  const answered = [...values]
    .filter(([key]) => secretAnswers.has(key))
    .map(([key, value]) => `${settingByKey.get(key)?.env ?? key}=${forShell(String(value))}`);
  const at = (name: string): string => forShell(join(place, name));
  const enrols = mayEnrol(values);
  const missing = (['mail.smtpUrl', 'mail.from'] as const)
    .filter((key) => enrols && !values.has(key))
    .map((key) => `${settingByKey.get(key)?.env ?? key}=`);
  return [
    '# What the provider is started with; `config.yaml` has the rest.',
    `CONFIG_FILE=${at('config.yaml')}`,
    '',
    "# From Didit's console: the ids of workflows go here, the key and the secret into these two files.",
    `DIDIT_API_KEY_FILE=${at(secretFiles.apiKey)}`,
    `DIDIT_WEBHOOK_SECRETS_FILE=${at(secretFiles.webhook)}`,
    'DIDIT_WORKFLOW_PASSIVE=',
    '# For apps and rules that ask for more: liveness by a movement.',
    '#DIDIT_WORKFLOW_ACTIVE=',
    '# For people who enrol themselves or are invited: a document and a selfie.',
    `${enrols ? '' : '#'}DIDIT_WORKFLOW_KYC=`,
    '',
    '# Fresh and random. Back up the second: without it the store cannot be read.',
    `COOKIE_KEYS_FILE=${at(secretFiles.cookies)}`,
    `STORE_ENCRYPTION_KEYS_FILE=${at(secretFiles.store)}`,
    ...(missing.length > 0 ? ['', '# Who enrols is written to.', ...missing] : []),
    ...(answered.length > 0 ? ['', ...answered] : []),
    '',
  ].join('\n');
}

/** What a shell would not take as it is, in quotes; everything else without, since Compose would keep them. */
function forShell(text: string): string {
  return /^[\w%+,./:=@-]*$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What docker-compose.yml itself reads: no secret. */
function composeFile(directory: string): string {
  return [
    '# For docker-compose.yml: docker compose --env-file with this file.',
    'COMPOSE_PROJECT_NAME=didit-oidc',
    `FILES_DIRECTORY=${directory}`,
    `ENV_FILE=${join(directory, 'secrets.env')}`,
    '# Where your TLS proxy of this machine finds it, in the clear.',
    'PUBLIC_PORT=3000',
    '# Or without one: a file in the directory above with certificate and key, and the port.',
    `#TLS_CERTIFICATE=${containerDirectory}/tls.pem`,
    '#PUBLIC_TLS_PORT=443',
    '',
  ].join('\n');
}
