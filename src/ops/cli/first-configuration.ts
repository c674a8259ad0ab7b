/** What `init` writes, and what it tells the operator to do next. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderExample } from '../../config/example.ts';
import { generateJwks, randomKey } from '../../config/keys.ts';
import { configSchema } from '../../config/schema.ts';
import { settingByKey } from '../../config/settings.ts';

interface NewFile {
  name: string;
  text: string;
  /** For the owner only when it holds keys. */
  permissions: number;
}

/**
 * @returns what the operator does next.
 * @throws when the issuer is not one, or any of the files is there already; nothing is written
 * then.
 */
export async function writeFirstConfiguration(issuer: string, directory: string): Promise<string> {
  if (!configSchema.shape.issuer.safeParse(issuer).success) {
    throw new Error(`--issuer must be ${settingByKey.get('issuer')?.expects ?? ''}`);
  }
  const files: NewFile[] = [
    { name: 'config.yaml', text: configFile(issuer), permissions: 0o644 },
    { name: 'jwks.json', text: await keysFile(), permissions: 0o600 },
    { name: 'secrets.env', text: secretsFile(), permissions: 0o600 },
  ];
  const present = files.filter(({ name }) => existsSync(join(directory, name)));
  if (present.length > 0) {
    const names = present.map(({ name }) => name).join(', ');
    throw new Error(`${names} in ${directory} would be overwritten; nothing was written`);
  }
  mkdirSync(directory, { recursive: true });
  for (const { name, text, permissions } of files) {
    // "wx" keeps the promise even when somebody else writes the same file at this moment.
    writeFileSync(join(directory, name), text, { mode: permissions, flag: 'wx' });
  }
  return nextSteps(issuer, directory);
}

function configFile(issuer: string): string {
  const introduction = [
    'Every setting of didit-oidc; what is commented out shows the default or an example.',
    'The environment wins over this file. Secrets are in secrets.env and do not belong here.',
  ];
  const values = new Map([
    ['issuer', issuer],
    ['jwksFile', 'jwks.json'],
  ]);
  return renderExample(introduction, values);
}

async function keysFile(): Promise<string> {
  return `${JSON.stringify(await generateJwks(), null, 2)}\n`;
}

function secretsFile(): string {
  return [
    "# Fill in these three from Didit's console.",
    'DIDIT_API_KEY=',
    'DIDIT_WEBHOOK_SECRETS=',
    'DIDIT_WORKFLOW_PASSIVE=',
    '# For apps and rules that ask for more: liveness by a movement.',
    '#DIDIT_WORKFLOW_ACTIVE=',
    '',
    '# Fresh and random. Back up the encryption key: without it the store cannot be read.',
    `COOKIE_KEYS=${randomKey()}`,
    `STORE_ENCRYPTION_KEYS=${randomKey()}`,
    '',
  ].join('\n');
}

function nextSteps(issuer: string, directory: string): string {
  return `Written to ${directory}: config.yaml, and for your eyes only jwks.json and secrets.env.

In Didit's console (https://business.didit.me):

1. Make a workflow with LIVENESS (passive), FACE_MATCH and IP_ANALYSIS, and let its sessions
   expire as early as it offers. Its id goes to DIDIT_WORKFLOW_PASSIVE in secrets.env.
2. Copy the API key of the application to DIDIT_API_KEY.
3. Add a webhook destination, version v3:
     URL     ${issuer}/webhooks/didit
     event   status.updated
   Its secret goes to DIDIT_WEBHOOK_SECRETS.

Then:

cd ${directory}
set -a; . ./secrets.env; set +a
didit-oidc config check --config config.yaml
didit-oidc serve --config config.yaml
`;
}
