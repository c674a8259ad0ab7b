import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { PeopleFileError, importPeople } from '../../src/enrol/people-file.ts';
import type { EnrolTools } from '../../src/enrol/person.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import { createPortraits } from '../../src/store/portraits.ts';
import type { Store } from '../../src/store/store.ts';

const clock = () => Date.UTC(2026, 10, 22);
const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(64)]);

let directory: string;
let store: Store;
let tools: EnrolTools;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'people-'));
  ({ store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock }));
  const accounts = createAccounts(store, { clock, random });
  tools = { accounts, portraits: createPortraits(store, () => undefined), random };
  await writeFile(join(directory, 'ana.jpg'), jpeg);
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

async function importText(name: string, text: string | Buffer, options = {}) {
  const file = join(directory, name);
  await writeFile(file, text);
  return importPeople(file, tools, { dryRun: false, skipExisting: false, ...options });
}

const lines = (...rows: unknown[]): string =>
  rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('');

async function accountOf(identifier: string) {
  const id = await tools.accounts.idOf(identifier);
  return id === undefined ? undefined : tools.accounts.find(id);
}

/** Everything that is known of anybody. */
async function kept(): Promise<unknown[]> {
  const kinds = ['account', 'identifier', 'portrait'];
  return (await Promise.all(kinds.map((kind) => Array.fromAsync(store.scan(kind))))).flat();
}

/** What is wrong, line by line; nothing was changed then. */
async function problemsOf(name: string, text: string | Buffer): Promise<string[]> {
  const before = await kept();
  const error = await importText(name, text).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PeopleFileError);
  expect(await kept()).toEqual(before);
  const { problems, message } = error as PeopleFileError;
  for (const { line, problem } of problems) expect(message).toContain(`line ${line}: ${problem}`);
  return problems.map(({ line, problem }) => `${line}: ${problem}`);
}

const ana = {
  ...{ email: 'ana@example.com', username: 'ana', name: 'Ana Example', given_name: 'Ana' },
  ...{ family_name: 'Example', groups: ['staff', 'wiki'], portrait: 'ana.jpg' },
};
const anaAccount = {
  ...{ status: 'active', email: 'ana@example.com', emailVerified: true, username: 'ana' },
  ...{ name: 'Ana Example', givenName: 'Ana', familyName: 'Example', groups: ['staff', 'wiki'] },
};

describe('a file of people', () => {
  test('may be NDJSON, with a byte order mark, empty lines and any line ends', async () => {
    const rows = [
      ana,
      { email: 'ben@example.com', status: 'invited' },
      '',
      { username: 'chiyo', vendor_data: 'known-to-didit', status: 'blocked' },
    ];
    const text = `\uFEFF${lines(...rows).replaceAll('\n', '\r\n')}`;
    const result = { people: 3, added: 3, skipped: 0, refused: [] };
    expect(await importText('people.ndjson', text)).toEqual(result);
    const account = (await accountOf('ana'))!;
    expect(account).toMatchObject(anaAccount);
    const face = await tools.portraits.load(account.id, account.enrolment!, 'sign_in');
    expect(face).toBe(jpeg.toString('base64'));
    expect(await accountOf('ben@example.com')).toMatchObject({ status: 'invited' });
    const chiyo = { status: 'blocked', enrolment: { vendorData: 'known-to-didit' } };
    expect(await accountOf('chiyo')).toMatchObject(chiyo);
  });

  test('may be CSV, with quotes, line breaks in them, and fields in any order', async () => {
    const text = [
      'portrait,email,username,groups,name,given_name,family_name,status,vendor_data',
      'ana.jpg,ana@example.com,ana,staff; wiki,"Ana Example",Ana,Example,,',
      '',
      ',ben@example.com,,,"Ben ""the other"" Example",,,invited,',
      ',,chiyo,,,,,,known-to-didit',
    ].join('\r\n');
    const result = { people: 3, added: 3, skipped: 0, refused: [] };
    expect(await importText('people.csv', `\uFEFF${text}\r\n`)).toEqual(result);
    expect(await accountOf('ana')).toMatchObject(anaAccount);
    expect(await accountOf('ben@example.com')).toMatchObject({ name: 'Ben "the other" Example' });
    expect(await accountOf('chiyo')).toMatchObject({
      enrolment: { vendorData: 'known-to-didit' },
      groups: [],
    });
  });

  test('may be only looked at', async () => {
    const result = { people: 2, added: 0, skipped: 0, refused: [] };
    const text = lines(ana, { username: 'ben' });
    expect(await importText('people.ndjson', text, { dryRun: true })).toEqual(result);
    expect(await kept()).toEqual([]);
    await expect(importText('people.ndjson', lines({}), { dryRun: true })).rejects.toThrow(
      'line 1',
    );
  });

  test('of which a part is there already can be gone on with, when that is said', async () => {
    await importText('people.ndjson', lines({ username: 'ben' }, ana));
    const before = await accountOf('ana');
    const text = lines({ username: 'ben' }, { ...ana, name: 'Else' }, { username: 'chiyo' });
    const result = { people: 1, added: 1, skipped: 2, refused: [] };
    expect(await importText('people.ndjson', text, { skipExisting: true })).toEqual(result);
    expect(await accountOf('ana')).toEqual(before);
    expect(await accountOf('chiyo')).toBeDefined();
    // A row with the names of two people is no repetition.
    const mixed = lines({ email: 'ana@example.com', username: 'ben' });
    await expect(importText('people.ndjson', mixed, { skipExisting: true })).rejects.toThrow(
      'line 1: somebody signs in as "ana@example.com" already',
    );
  });

  test('is read bit by bit: ten thousand people at once', async () => {
    const many = 10_000;
    const rows = Array.from({ length: many }, (_, at) => `${at}@example.com,user-${at}`);
    const text = ['email,username', ...rows].join('\n');
    expect(await importText('people.csv', text, { dryRun: true })).toMatchObject({ people: many });
  }, 60_000);

  test('tells who lost a name to somebody else while it was being read', async () => {
    const { idOf } = tools.accounts;
    let asked = 0;
    tools.accounts.idOf = async (name) => {
      const id = await idOf(name);
      // After the look at all of them, before ben is added.
      if (name === 'ben' && (asked += 1) === 2)
        await tools.accounts.add({ username: 'Ben', groups: [] });
      return id;
    };
    const text = lines({ username: 'ana' }, { username: 'ben', portrait: 'ana.jpg' });
    expect(await importText('people.ndjson', text)).toEqual({
      ...{ people: 2, added: 1, skipped: 0 },
      refused: [{ line: 2, problem: 'somebody signs in by that name now' }],
    });
    expect(await Array.fromAsync(store.scan('portrait'))).toEqual([]);
  });
});

describe('a file with a mistake adds nobody, and says', () => {
  test('all that is wrong at once, each with its line (NDJSON)', async () => {
    const text = lines(
      { username: 'good' },
      { email: 'ana' },
      'no JSON',
      { name: 'Nobody' },
      '[1]',
      { username: 'eve', status: 'erased', groups: 'staff', portrait: 'missing.jpg' },
      { username: 'x\ny' },
      { username: 'face', portrait: 'missing.jpg' },
    );
    const problems = await problemsOf('people.ndjson', text);
    expect(problems).toEqual([
      '2: email: Invalid email address',
      '3: is not JSON',
      '4: a person needs an email or a username to sign in by',
      expect.stringMatching(/^5: Invalid input: expected object/),
      expect.stringMatching(/^6: groups: Invalid input: expected array/),
      expect.stringMatching(/^6: status: Invalid option/),
      expect.stringMatching(/^7: username: /),
      '8: the portrait "missing.jpg" cannot be read (ENOENT)',
    ]);
  });

  test('all that is wrong at once, each with its line (CSV)', async () => {
    const text = [
      'email,username,portrait',
      'ana,,',
      '"b@example.com",bob',
      ',,ana.jpg',
      'd@example.com,dan,',
      'e@example.com,dan,people.csv',
      'f@example.com,"f"ritz,',
      'g,,',
    ].join('\n');
    const problems = await problemsOf('people.csv', text);
    expect(problems).toEqual([
      '2: email: Invalid email address',
      '3: has 2 fields, and the first line 3',
      '4: a person needs an email or a username to sign in by',
      '6: "dan" stands on line 5 too',
      expect.stringMatching(/^6: .*people\.csv: a portrait is a JPEG or PNG file$/),
      '7: is not CSV, and what follows cannot be read',
    ]);
  });

  test.each([
    [
      'that it is in another encoding',
      'people.ndjson',
      Buffer.from('{"username":"Zo\xeb"}', 'latin1'),
      '1: is not UTF-8',
    ],
    [
      'that it is in another encoding (CSV)',
      'people.csv',
      Buffer.from('username\nZo\xeb', 'latin1'),
      '2: is not UTF-8',
    ],
    [
      'that a line is endless',
      'people.ndjson',
      `{"username":"${'x'.repeat(70_000)}"}`,
      '1: is too long',
    ],
    ['that a record is endless', 'people.csv', `username\n"${'x'.repeat(70_000)}"`, 'is not CSV'],
    [
      'that two columns have one name',
      'people.csv',
      'username,username\na,b',
      '2: has two fields of one name',
    ],
  ])('%s', async (_name, file, text, message) => {
    expect((await problemsOf(file, text)).join('\n')).toContain(message);
  });

  test('which file is not there', async () => {
    const missing = join(directory, 'missing');
    const options = { dryRun: false, skipExisting: false };
    await expect(importPeople(`${missing}.csv`, tools, options)).rejects.toThrow('ENOENT');
    await expect(importPeople(`${missing}.ndjson`, tools, options)).rejects.toThrow('ENOENT');
  });

  test('when a thousand things are wrong, a thousand of them', async () => {
    const text = lines(...Array.from({ length: 1_500 }, () => ({ email: 'x' })));
    await expect(importText('people.ndjson', text)).rejects.toThrow(/line 1000: [^]*and 500 more$/);
  });
});

describe('[EN-13] what only the provider or the person can bring about is refused', () => {
  const fields = [
    'sub',
    'id',
    'email_verified',
    'enrolled',
    'acr',
    'role',
    '__proto__',
    'constructor',
  ];

  test.each(fields)('%s in NDJSON', async (field) => {
    const text = `{"username":"eve","${field}":"x"}\n`;
    expect(await problemsOf('people.ndjson', text)).toEqual([`1: Unrecognized key: "${field}"`]);
  });

  test.each(fields)('%s in CSV', async (field) => {
    const text = `username,${field}\neve,x\n`;
    expect(await problemsOf('people.csv', text)).toEqual([`2: Unrecognized key: "${field}"`]);
  });

  it.each(['held', 'erased'])('a status of %s', async (status) => {
    const [problem] = await problemsOf('people.ndjson', lines({ username: 'eve', status }));
    expect(problem).toMatch(/^1: status: Invalid option/);
  });
});

describe('[EN-12] nobody is linked to somebody who is there', () => {
  test.each(['ana@example.com', ' ANA@Example.com', 'ａna@example.com'])(
    'by the address %s, however it is written',
    async (email) => {
      await importText('people.ndjson', lines(ana));
      const before = await accountOf('ana');
      const problems = await problemsOf('people.csv', `username,email\n${email},\n`);
      expect(problems).toEqual([`2: somebody signs in as "${email.trim()}" already`]);
      expect(await accountOf('ana')).toEqual(before);
    },
  );

  test('within one file either', async () => {
    const text = lines({ email: 'ana@example.com' }, { username: 'Ana@EXAMPLE.com' });
    expect(await problemsOf('people.ndjson', text)).toEqual([
      '2: "ana@example.com" stands on line 1 too',
    ]);
  });

  test('by what Didit knows them by, within the file or in the store', async () => {
    await importText('people.ndjson', lines({ username: 'ana', vendor_data: 'at-didit' }));
    const text = lines(
      { username: 'ben', vendor_data: 'other' },
      { username: 'chiyo', vendor_data: 'other' },
      { username: 'eve', vendor_data: 'at-didit' },
    );
    expect(await problemsOf('people.ndjson', text)).toEqual([
      '2: its vendor_data stands on line 1 too',
      '3: its vendor_data is that of somebody else',
    ]);
  });

  test('and an address is not verified before its owner has come', async () => {
    const text = lines({ email: 'a@example.com', status: 'invited' }, { email: 'b@example.com' });
    await importText('people.ndjson', text);
    expect(await accountOf('a@example.com')).toMatchObject({ emailVerified: false });
    expect(await accountOf('b@example.com')).toMatchObject({ emailVerified: true });
  });
});

test('tells how far it is, line by line and person by person', async () => {
  const told: unknown[] = [];
  const progress = (one: unknown): void => void told.push(one);
  await importText('two.ndjson', lines({ email: 'a@example.com' }, { email: 'b@example.com' }), {
    progress,
  });
  expect(told).toEqual([
    { checked: 1, added: 0 },
    { checked: 2, added: 0 },
    { checked: 2, added: 1 },
    { checked: 2, added: 2 },
  ]);
});
