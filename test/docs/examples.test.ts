import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { generateJwks, randomKey } from '../../src/config/keys.ts';
import { resolveConfig } from '../../src/config/load.ts';
import { settings } from '../../src/config/settings.ts';
import { enrolFromFile } from '../../src/enrol/accounts-file.ts';
import { parseClients } from '../../src/oidc/clients.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import { createDeparted } from '../../src/store/departed.ts';
import { createPortraits } from '../../src/store/portraits.ts';
import { blocks, documents, read } from './support.ts';

const yaml = documents.flatMap((name) =>
  blocks(read(name))
    .filter(({ language }) => language === 'yaml')
    .map(({ code }) => ({ name, code })),
);

test.each(yaml.filter(({ code }) => code.startsWith('clients:')))(
  'the clients file in $name is one that the provider takes',
  ({ code }) => {
    expect(parseClients(code).clients.length).toBeGreaterThan(0);
  },
);

test('there is a clients file in the README and in the operations page, an accounts file, and a policy with its cases', () => {
  expect(yaml.map(({ name, code }) => `${name} ${code.split(':', 1)[0] ?? ''}`)).toEqual([
    'README.md clients',
    'docs/operations.md clients',
    'docs/operations.md accounts',
    'docs/policy.md reference',
    'docs/policy.md before',
  ]);
});

test('the accounts file in docs/operations.md enrols somebody', async () => {
  const code = yaml.find((one) => one.code.startsWith('accounts:'))?.code ?? '';
  const directory = await mkdtemp(join(tmpdir(), 'didit-oidc-docs-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const { store } = await openStore({
    url: 'sqlite::memory:',
    encryptionKeys: [],
    clock: Date.now,
  });
  onTestFinished(() => store.close());
  await writeFile(join(directory, 'accounts.yaml'), code);
  const portrait = await readFile(new URL('../../config/demo/ana.png', import.meta.url));
  await writeFile(join(directory, 'ana.jpg'), portrait);

  const random = randomKey;
  const accounts = createAccounts(store, { clock: Date.now, random });
  const portraits = createPortraits(store, () => undefined);
  const fileName = join(directory, 'accounts.yaml');
  const departed = createDeparted(store, random);
  const tools = { accounts, portraits, departed, random };
  expect(await enrolFromFile(fileName, tools)).toEqual({ added: 1, departed: 0 });
});

test('.env.example, filled in, is a configuration that production starts with', async () => {
  const files = new Map([['/etc/didit-oidc/jwks.json', JSON.stringify(await generateJwks())]]);
  const env = Object.fromEntries(
    Object.entries(variablesIn(read('.env.example'))).map(([name, value]) => [
      name,
      value === '' ? randomKey() : value,
    ]),
  );
  const readFileOf = (name: string): string => files.get(name) ?? '';
  const resolved = resolveConfig({ env, readFile: readFileOf });
  expect(resolved).toMatchObject({ ok: true });
});

test('.env.example names settings and what docker-compose.yml reads, and leaves out no secret that production needs', () => {
  const named = Object.keys(variablesIn(read('.env.example')));
  const ofCompose = [...read('docker-compose.yml').matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
  const known = [...settings.map(({ env }) => env), ...ofCompose, 'COMPOSE_PROJECT_NAME'];
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  const required = settings.filter((setting) => setting.required).map(({ env }) => env);
  expect(required.filter((name) => !named.includes(name))).toEqual([]);
});

test('docker-compose.yml sets only what is a setting', () => {
  const compose = parse(read('docker-compose.yml'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  const known = settings.map(({ env }) => env);
  for (const name of ['provider-1', 'provider-2']) {
    const { environment } = compose.services[name]!;
    expect(known).toEqual(expect.arrayContaining(Object.keys(environment)));
  }
});

function variablesIn(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
