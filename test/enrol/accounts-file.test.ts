import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { enrolFromFile } from '../../src/enrol/accounts-file.ts';
import type { EnrolTools } from '../../src/enrol/person.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import { type Departed, createDeparted } from '../../src/store/departed.ts';
import { openStore } from '../../src/store/open.ts';
import { createPortraits, maximumPortraitBytes } from '../../src/store/portraits.ts';
import type { Store } from '../../src/store/store.ts';

const clock = () => Date.UTC(2026, 10, 22);
const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), randomBytes(64)]);
const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), randomBytes(64)]);

let directory: string;
let store: Store;
let tools: EnrolTools & { departed: Departed };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'accounts-'));
  ({ store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock }));
  const accounts = createAccounts(store, { clock, random });
  const portraits = createPortraits(store, () => undefined);
  tools = { accounts, portraits, departed: createDeparted(store, random), random };
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

async function save(name: string, content: string | Buffer): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

async function enrol(yaml: string): Promise<number> {
  return (await enrolFromFile(await save('accounts.yaml', yaml), tools)).added;
}

async function accountOf(identifier: string) {
  const id = await tools.accounts.idOf(identifier);
  return id === undefined ? undefined : tools.accounts.find(id);
}

async function faceOf(identifier: string): Promise<string | undefined> {
  const account = await accountOf(identifier);
  return tools.portraits.load(account!.id, account!.enrolment!, 'sign_in');
}

/** Everything that is known of anybody. */
async function kept(): Promise<unknown[]> {
  const kinds = ['account', 'identifier', 'portrait'];
  return (await Promise.all(kinds.map((kind) => Array.fromAsync(store.scan(kind))))).flat();
}

/** The one message of a file that is not taken; nothing was added then. */
async function problemOf(yaml: string): Promise<string> {
  const error = await enrol(yaml).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(await kept()).toEqual([]);
  return (error as Error).message;
}

const ana = `
accounts:
  - email: ana@example.com
    username: ana
    name: Ana Example
    groups: [staff, wiki]
    portrait: ana.jpg
`;

describe('a file of people', () => {
  test('adds each under all their names, with a face that can be sent to Didit', async () => {
    await save('ana.jpg', jpeg);
    expect(await enrol(ana)).toBe(1);
    const account = await accountOf('ana@example.com');
    expect(account).toMatchObject({
      status: 'active',
      email: 'ana@example.com',
      emailVerified: true,
      username: 'ana',
      name: 'Ana Example',
      groups: ['staff', 'wiki'],
    });
    expect(await accountOf(' ANA ')).toEqual(account);
    expect(await faceOf('ana')).toBe(jpeg.toString('base64'));
  });

  test('may have people with no face, with a PNG, or whom Didit knows already', async () => {
    await save('bob.png', png);
    const text = `
accounts:
  - username: bob
    portrait: bob.png
  - username: eve
  - email: kim@example.com
    vendor_data: known-to-didit
`;
    expect(await enrol(text)).toBe(3);
    const [bob, eve, kim] = await Promise.all(['bob', 'eve', 'kim@example.com'].map(accountOf));
    expect(bob).toMatchObject({ username: 'bob', status: 'active' });
    expect(await faceOf('bob')).toBe(png.toString('base64'));
    expect(eve).toMatchObject({ username: 'eve', groups: [], emailVerified: false });
    expect(eve).not.toHaveProperty('enrolment');
    expect(kim?.enrolment).toMatchObject({ vendorData: 'known-to-didit' });
    expect(kim?.enrolment).not.toHaveProperty('portraitKey');
  });

  test('[EN-04] gives each enrolment a name of its own that tells nothing', async () => {
    await save('ana.jpg', jpeg);
    await enrol(`${ana}  - { username: bob, portrait: ana.jpg }\n`);
    const [first, second] = await Promise.all(['ana', 'bob'].map(accountOf));
    const ids = [first, second].flatMap((one) => [
      one!.id,
      one!.enrolment!.id,
      one!.enrolment!.vendorData,
    ]);
    expect(new Set(ids).size).toBe(6);
    for (const id of ids) expect(Buffer.from(id, 'base64url')).toHaveLength(16);
  });

  test('may say more of a person, and that they come later', async () => {
    const [kim, lee] = [
      'email: kim@example.com, status: invited',
      'username: lee, status: blocked',
    ];
    const names = 'given_name: Kim, family_name: Example';
    expect(await enrol(`accounts: [{ ${kim}, ${names} }, { ${lee} }]`)).toBe(2);
    const invited = { status: 'invited', givenName: 'Kim', familyName: 'Example' };
    expect(await accountOf('kim@example.com')).toMatchObject({ ...invited, emailVerified: false });
    expect(await accountOf('lee')).toMatchObject({ status: 'blocked' });
  });

  test('may be empty of people', async () => {
    expect(await enrol('accounts: []')).toBe(0);
  });
});

describe('who is there already', () => {
  test('is left as they are by a second start', async () => {
    await save('ana.jpg', jpeg);
    await enrol(ana);
    const before = await accountOf('ana');
    expect(await enrol(ana.replace('Ana Example', 'Somebody Else'))).toBe(0);
    expect(await accountOf('ana')).toEqual(before);
  });

  test('[AB-04] keeps their name against another person, however it is spelt', async () => {
    await save('ana.jpg', jpeg);
    await enrol(ana);
    const before = await kept();
    // The account, two names and the face.
    expect(before).toHaveLength(4);
    for (const name of ['ana', 'ANA', ' Ana ', 'ａｎａ']) {
      const text = `accounts: [{ email: new@example.com, username: "${name}", portrait: ana.jpg }]`;
      expect(await enrol(text), name).toBe(0);
    }
    expect(await accountOf('new@example.com')).toBeUndefined();
    expect(await kept()).toEqual(before);
  });

  test('[BD-08] and was erased does not come back by it, while others come', async () => {
    await tools.departed.remember(' Ana@Example.com');
    const text = 'accounts: [{ email: ana@example.com }, { username: bob }]';
    const counts = await enrolFromFile(await save('accounts.yaml', text), tools);
    expect(counts).toEqual({ added: 1, departed: 1 });
    expect(await accountOf('ana@example.com')).toBeUndefined();
  });

  test('does not keep the others of the file out', async () => {
    await enrol('accounts: [{ username: ana }]');
    expect(await enrol('accounts: [{ username: ana }, { username: bob }]')).toBe(1);
  });

  test('may have come with the same file: the first of two with one name is added', async () => {
    expect(
      await enrol('accounts: [{ username: ana, name: One }, { username: Ana, name: Two }]'),
    ).toBe(1);
    expect((await accountOf('ana'))?.name).toBe('One');
  });
});

describe('a file that is not taken is named, and adds nobody:', () => {
  test.each<[string, string, RegExp]>([
    ['nothing', '', /expected object/],
    ['another thing than a list', 'accounts: ana', /expected array[^]*at accounts/],
    ['a key that is unknown', 'people: []\naccounts: []', /Unrecognized key: "people"/],
    [
      'a person of no name',
      'accounts: [{ name: Ana }]',
      /needs an email or a username[^]*accounts\[0\]/,
    ],
    [
      'an address that is none',
      'accounts: [{ email: ana }]',
      /email address[^]*accounts\[0\]\.email/,
    ],
    ['an empty username', 'accounts: [{ username: "" }]', /accounts\[0\]\.username/],
    [
      'a key misspelt',
      'accounts: [{ username: ana, potrait: a.jpg }]',
      /"potrait"[^]*accounts\[0\]/,
    ],
    [
      'a number for a name',
      'accounts: [{ username: 7 }]',
      /expected string[^]*accounts\[0\]\.username/,
    ],
    ['broken YAML', 'accounts: [{ username: ana', /accounts\.yaml: /],
  ])('%s', async (_, text, message) => {
    const problem = await problemOf(text);
    expect(problem).toMatch(message);
    expect(problem).toContain(join(directory, 'accounts.yaml'));
  });

  test('with all that is wrong at once', async () => {
    const text = 'accounts: [{ username: bob }, { email: ana }, { name: Kim }, { username: "" }]';
    const problem = await problemOf(text);
    for (const index of [1, 2, 3]) expect(problem).toContain(`accounts[${String(index)}]`);
    expect(problem).not.toContain('accounts[0]');
  });

  test('when it is not there', async () => {
    const missing = join(directory, 'missing.yaml');
    await expect(enrolFromFile(missing, tools)).rejects.toThrow(missing);
  });
});

describe('[EN-05] a portrait', () => {
  const person = (portrait: string) => `{ username: "${portrait}", portrait: "${portrait}" }`;
  const people = (...portraits: string[]) => `accounts: [${portraits.map(person).join(', ')}]`;

  test.each<[string, string | Buffer]>([
    ['a drawing', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['a GIF', 'GIF89a'],
    ['text that tells of a JPEG', 'JFIF \xff\xd8\xff'],
    ['a JPEG after something else', Buffer.concat([Buffer.from(' '), jpeg])],
    ['half a signature', png.subarray(0, 4)],
    ['nothing', ''],
  ])('that is %s is refused', async (_, content) => {
    await save('face', content);
    const message = `${join(directory, 'face')}: a portrait is a JPEG or PNG file`;
    expect(await problemOf(people('face'))).toBe(message);
  });

  test('may have the largest size, and not a byte more', async () => {
    const largest = Buffer.alloc(maximumPortraitBytes);
    jpeg.copy(largest);
    await save('large', Buffer.concat([largest, Buffer.alloc(1)]));
    const message = `${join(directory, 'large')}: a portrait has at most 700 KiB`;
    expect(await problemOf(people('large'))).toBe(message);
    await save('large', largest);
    expect(await enrol(people('large'))).toBe(1);
  });

  test('that is missing is named', async () => {
    expect(await problemOf(people('missing'))).toContain(join(directory, 'missing'));
  });

  test('among several that are wrong is not the only one to be named', async () => {
    await save('good', jpeg);
    await save('bad', 'text');
    const problem = await problemOf(people('good', 'bad', 'missing'));
    expect(problem).toContain(join(directory, 'bad'));
    expect(problem).toContain(join(directory, 'missing'));
    expect(problem).not.toContain(join(directory, 'good'));
  });
});
