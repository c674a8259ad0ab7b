/** Passkeys against an authenticator that does whatever it is told; a browser's own is in e2e/passkeys.test.ts. */
import { createSign, randomBytes } from 'node:crypto';
import { generate } from 'selfsigned';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPasskeys } from '../../src/fallback/passkeys.ts';
import { type Account, createAccounts } from '../../src/store/accounts.ts';
import { createFactorRecords } from '../../src/store/factors.ts';
import { type Authenticator, type Fault, createAuthenticator } from '../support/authenticator.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from '../store/stores.ts';

const issuer = 'https://login.example.com:8443';
const place = { origin: issuer, rpId: 'login.example.com' };
const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
const startMs = Date.UTC(2026, 10, 22);

async function open(
  opened?: Awaited<ReturnType<typeof openSqlite>>,
  more: { issuer?: string; rpName?: string } = {},
) {
  const under = opened ?? (await openSqlite(':memory:', [newKey()]));
  onTestFinished(() => under.close());
  const alarms: string[] = [];
  let nowMs = startMs;
  const clock = (): number => (nowMs += 1000);
  const records = createFactorRecords(under.store);
  const accounts = createAccounts(under.store, { clock, random });
  const passkeys = createPasskeys({
    ...{ store: under.store, records, issuer, clock, random, ...more },
    alarm: (reason) => void alarms.push(reason),
  });
  const person = async (name: string): Promise<Account> => {
    const fields = { email: `${name}@example.com`, username: name, name, groups: [] };
    return (await accounts.add(fields))!;
  };
  const register = async (account: Account, authenticator: Authenticator, fault: Fault = {}) => {
    const options = await passkeys.registrationOptions(account, 'session');
    const made = authenticator.create(options, fault);
    return passkeys.register(account, 'session', made, 'Laptop');
  };
  const answer = async (authenticator: Authenticator, fault: Fault = {}) => {
    const asked = await passkeys.authenticationOptions('here');
    return passkeys.authenticate('here', authenticator.get(asked, fault));
  };
  return { ...under, records, passkeys, alarms, person, register, answer };
}

/** Ana with a passkey. */
async function openWithAna(counts: 0 | 1 = 1) {
  const opened = await open();
  const ana = await opened.person('ana');
  const hers = createAuthenticator(place, { counts });
  expect(await opened.register(ana, hers)).toBeDefined();
  return { ...opened, ana, hers };
}

describe('what an authenticator is asked', () => {
  it('[FB-02] to register: for this host, with a PIN or a finger, found without a name, attesting nothing', async () => {
    const { ana, hers, passkeys } = await openWithAna();
    const options = await passkeys.registrationOptions(ana, 'session');
    expect(options).toMatchObject({
      rp: { id: 'login.example.com', name: 'login.example.com:8443' },
      user: { name: 'ana@example.com', displayName: 'ana' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [{ id: hers.id, type: 'public-key', transports: ['internal', 'hybrid'] }],
    });
    expect(Buffer.from(options.user.id, 'base64url').toString()).toBe(ana.id);
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32);
    const again = await passkeys.registrationOptions(ana, 'session');
    expect(again.challenge).not.toBe(options.challenge);
  });

  it('[FB-02] to sign in: the same, and nothing about anybody who is not known to be there', async () => {
    const { ana, hers, passkeys } = await openWithAna();
    const options = await passkeys.authenticationOptions('here');
    expect(options).toMatchObject({ rpId: 'login.example.com', userVerification: 'required' });
    expect(options.allowCredentials).toEqual([]);
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32);
    const known = await passkeys.authenticationOptions('here', ana);
    expect(known.allowCredentials).toMatchObject([{ id: hers.id }]);
  });

  it('is called by the name that the operator gave', async () => {
    const { passkeys, person } = await open(undefined, { rpName: 'Acme' });
    const { rp } = await passkeys.registrationOptions(await person('ana'), 'session');
    expect(rp).toEqual({ id: 'login.example.com', name: 'Acme' });
  });

  it.each([
    ['https://login.example.com', true],
    ['http://localhost:3000', true],
    ['http://idp.localhost:3000', true],
    ['http://login.example.com', false],
    ['https://192.0.2.7', false],
    ['http://127.0.0.1:3000', false],
    ['https://[2001:db8::1]', false],
  ])('at %s: %s', async (at, isPossible) => {
    const { passkeys } = await open(undefined, { issuer: at });
    expect(passkeys.isPossible).toBe(isPossible);
  });
});

describe('a new passkey', () => {
  it('[FB-02] is kept as it was made, under the name that the person gave it', async () => {
    const { person, records, passkeys } = await open();
    const ana = await person('ana');
    const hers = createAuthenticator(place, { isSynced: true });
    const options = await passkeys.registrationOptions(ana, 'session');
    const name = `  ${'x'.repeat(80)}`;
    const passkey = await passkeys.register(ana, 'session', hers.create(options), name);
    expect(passkey).toMatchObject({
      ...{ id: hers.id, counter: 0, isSynced: true, transports: ['internal', 'hybrid'] },
      ...{ name: 'x'.repeat(64), createdAtMs: expect.any(Number) as number },
    });
    expect((await records.load(ana.id)).passkeys).toEqual([passkey]);
  });

  const refused: [string, Fault][] = [
    ['of another origin', { origin: 'https://evil.example.com:8443' }],
    ['of another port', { origin: 'https://login.example.com' }],
    ['of another host', { rpId: 'example.com' }],
    ['without a PIN or a finger', { userVerified: false }],
    ['with nobody there', { userPresent: false }],
    ['for another question', { challenge: random(32) }],
    ['that is a sign-in', { type: 'webauthn.get' }],
    ['from within another site', { crossOrigin: true }],
    ['with a key of a kind that was not asked for', { curve: 'P-384' }],
  ];
  it.each(refused)('[FB-02] %s is refused', async (_, fault) => {
    const { person, register, records } = await open();
    const ana = await person('ana');
    expect(await register(ana, createAuthenticator(place), fault)).toBeUndefined();
    expect((await records.load(ana.id)).passkeys).toEqual([]);
  });

  it('[FB-02] answers one question, once, for the session and the account that it was asked of', async () => {
    const { person, records, passkeys } = await open();
    const [ana, ben] = [await person('ana'), await person('ben')];
    const make = async () => {
      const options = await passkeys.registrationOptions(ana, 'session');
      return createAuthenticator(place).create(options);
    };
    expect(await passkeys.register(ana, 'another', await make(), '')).toBeUndefined();
    expect(await passkeys.register(ben, 'session', await make(), '')).toBeUndefined();
    const made = await make();
    const all = await Promise.all(
      Array.from({ length: 10 }, () => passkeys.register(ana, 'session', made, '')),
    );
    expect(all.filter(Boolean)).toHaveLength(1);
    expect((await records.load(ana.id)).passkeys).toHaveLength(1);
    expect((await records.load(ben.id)).passkeys).toHaveLength(0);
  });

  it('is one of twenty at most, and no second one of the same key', async () => {
    const { person, register, records } = await open();
    const ana = await person('ana');
    const first = createAuthenticator(place);
    expect(await register(ana, first)).toBeDefined();
    expect(await register(ana, first)).toBeUndefined();
    for (let more = 1; more < 20; more += 1) {
      expect(await register(ana, createAuthenticator(place))).toBeDefined();
    }
    expect(await register(ana, createAuthenticator(place))).toBeUndefined();
    expect((await records.load(ana.id)).passkeys).toHaveLength(20);
  });

  it('[FB-02] brings no certificates: they are not read, however good they look', async () => {
    const { person, register } = await open();
    const ana = await person('ana');
    const subject = { C: 'US', O: 'Somebody', OU: 'Authenticator Attestation', CN: 'A key' };
    const pair = await generate(
      Object.entries(subject).map(([shortName, value]) => ({ shortName, value })),
      { algorithm: 'sha256', extensions: [{ name: 'basicConstraints', cA: false }] },
    );
    const der = Buffer.from(pair.cert.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const attestation = (signed: Buffer) => ({
      fmt: 'packed',
      attStmt: new Map<string, unknown>([
        ['alg', -257],
        ['sig', new Uint8Array(createSign('sha256').update(signed).sign(pair.private))],
        ['x5c', [new Uint8Array(der)]],
      ]),
    });
    expect(await register(ana, createAuthenticator(place), { attestation })).toBeUndefined();
  });
});

describe('a sign-in', () => {
  it('[FB-02] says whose passkey it was, and notes the use', async () => {
    const { ana, hers, answer, records } = await openWithAna();
    const shown = await answer(hers);
    expect(shown).toMatchObject({ accountId: ana.id, passkey: { name: 'Laptop', counter: 1 } });
    expect(shown?.passkey.usedAtMs).toBeGreaterThan(startMs);
    expect((await records.load(ana.id)).passkeys).toEqual([shown?.passkey]);
    expect(await answer(hers)).toMatchObject({ passkey: { counter: 2 } });
  });

  const refused: [string, Fault][] = [
    ['of another origin', { origin: 'https://evil.example.com:8443' }],
    ['of another port', { origin: 'https://login.example.com' }],
    ['of another protocol', { origin: 'http://login.example.com:8443' }],
    ['of another host', { rpId: 'example.com' }],
    ['without a PIN or a finger', { userVerified: false }],
    ['with nobody there', { userPresent: false }],
    ['for another question', { challenge: random(32) }],
    ['that is a registration', { type: 'webauthn.create' }],
    ['from within another site', { crossOrigin: true }],
    ['of a credential that nobody has', { id: random(32) }],
    ['that says it is of nobody', { userHandle: null }],
    ['that says it is of somebody unknown', { userHandle: random(16) }],
    ['with a signature of something else', { signature: Buffer.from('3006020101020101', 'hex') }],
  ];
  it.each(refused)('[FB-02] %s is refused', async (_, fault) => {
    const { ana, hers, answer, records, alarms } = await openWithAna();
    const before = await records.load(ana.id);
    expect(await answer(hers, fault)).toBeUndefined();
    expect(await records.load(ana.id)).toEqual(before);
    expect(alarms).toEqual([]);
    expect(await answer(hers)).toBeDefined();
  });

  it('[FB-02] by another person’s credential is refused, whatever it says', async () => {
    const { ana, hers, register, passkeys, person, answer } = await openWithAna();
    const ben = await person('ben');
    const his = createAuthenticator(place);
    await register(ben, his);
    const asAna = { userHandle: Buffer.from(ana.id).toString('base64url') };
    expect(await answer(his, asAna)).toBeUndefined();
    expect(await answer(his, { ...asAna, id: hers.id })).toBeUndefined();
    // Ana was asked, and nobody else may answer.
    for (const fault of [{}, { userHandle: null }, asAna]) {
      const asked = await passkeys.authenticationOptions('here', ana);
      expect(await passkeys.authenticate('here', his.get(asked, fault))).toBeUndefined();
    }
    for (const fault of [{}, { userHandle: null }]) {
      const asked = await passkeys.authenticationOptions('here', ana);
      expect(await passkeys.authenticate('here', hers.get(asked, fault))).toBeDefined();
    }
    expect(await answer(his)).toMatchObject({ accountId: ben.id });
  });

  it('[FB-02] answers the last question of its own interaction, once, and no registration’s', async () => {
    const { ana, hers, passkeys } = await openWithAna();
    const asked = await passkeys.authenticationOptions('here');
    const given = hers.get(asked);
    expect(await passkeys.authenticate('elsewhere', given)).toBeUndefined();
    await passkeys.authenticationOptions('elsewhere');
    expect(await passkeys.authenticate('elsewhere', given)).toBeUndefined();
    expect(await passkeys.authenticate('here', given)).toBeDefined();
    expect(await passkeys.authenticate('here', given)).toBeUndefined();

    const older = hers.get(await passkeys.authenticationOptions('here'));
    await passkeys.authenticationOptions('here');
    expect(await passkeys.authenticate('here', older)).toBeUndefined();

    const { challenge } = await passkeys.registrationOptions(ana, 'here');
    expect(await passkeys.authenticate('here', hers.get({ challenge }))).toBeUndefined();
  });

  it('[FB-02] comes within five minutes', async () => {
    const opened = await openWithAna();
    const { hers, passkeys } = opened;
    const asked = await passkeys.authenticationOptions('here');
    await opened.pass(299);
    expect(await passkeys.authenticate('here', hers.get(asked))).toBeDefined();
    const late = await passkeys.authenticationOptions('here');
    await opened.pass(301);
    expect(await passkeys.authenticate('here', hers.get(late))).toBeUndefined();
  });

  it('[FB-02] by a passkey that was removed is refused', async () => {
    const { ana, hers, answer, records } = await openWithAna();
    await records.erase(ana.id);
    expect(await answer(hers)).toBeUndefined();
  });

  it.each([0, 1] as const)(
    '[FB-02] of ten at once with one answer one succeeds, counting by %s',
    async (counts) => {
      const { passkeys, person, register } = await open(await openRedis(await freshRedis()));
      const hers = createAuthenticator(place, { counts });
      await register(await person('ana'), hers);
      const given = hers.get(await passkeys.authenticationOptions('here'));
      const all = await Promise.all(
        Array.from({ length: 10 }, () => passkeys.authenticate('here', given)),
      );
      expect(all.filter(Boolean)).toHaveLength(1);
    },
  );

  it('[FB-02] of ten at once with one count one succeeds, though each was asked for', async () => {
    const { passkeys, person, register, records } = await open(await openRedis(await freshRedis()));
    const [ana, hers] = [await person('ana'), createAuthenticator(place)];
    await register(ana, hers);
    const places = Array.from({ length: 10 }, (_, at) => `interaction ${at}`);
    const given = await Promise.all(
      places.map(async (at) => hers.get(await passkeys.authenticationOptions(at), { counter: 7 })),
    );
    const all = await Promise.all(places.map((at, nth) => passkeys.authenticate(at, given[nth])));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect((await records.load(ana.id)).passkeys).toMatchObject([{ counter: 7 }]);
  });

  it('[FB-02] that counts backwards is refused, and an operator hears of it', async () => {
    const { hers, answer, alarms } = await openWithAna();
    expect(await answer(hers, { counter: 41 })).toBeDefined();
    expect(alarms).toEqual([]);
    for (const counter of [41, 40, 0]) expect(await answer(hers, { counter })).toBeUndefined();
    expect(alarms).toEqual(['passkey_counter', 'passkey_counter', 'passkey_counter']);
    const forged = { counter: 1, signature: Buffer.from('3006020101020101', 'hex') };
    expect(await answer(hers, forged)).toBeUndefined();
    expect(alarms).toHaveLength(3);
    expect(await answer(hers, { counter: 42 })).toBeDefined();
  });

  it('by an authenticator that does not count is as good as any', async () => {
    const { hers, answer, alarms } = await openWithAna(0);
    for (let times = 0; times < 3; times += 1) expect(await answer(hers)).toBeDefined();
    expect(alarms).toEqual([]);
  });
});

describe('[FB-02] whatever else comes', () => {
  const nested = `${'['.repeat(6000)}${']'.repeat(6000)}`;
  const rubbish: [string, unknown][] = [
    ['nothing', undefined],
    ['an object', { id: 'x' }],
    ['no JSON', '{"id":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['brackets', nested],
    ['an empty object', '{}'],
    ['lists for texts', '{"id":["x"],"rawId":["x"],"type":"public-key","response":{}}'],
    ['a prototype', '{"__proto__":{"id":"x"},"constructor":1}'],
  ];

  it.each(rubbish)('%s is refused, without an error', async (_, text) => {
    const { ana, hers, passkeys } = await openWithAna();
    const asked = await passkeys.authenticationOptions('here');
    await passkeys.registrationOptions(ana, 'session');
    expect(await passkeys.authenticate('here', text)).toBeUndefined();
    expect(await passkeys.register(ana, 'session', text, '')).toBeUndefined();
    expect(await passkeys.authenticate('here', hers.get(asked))).toBeDefined();
  });

  it('an answer with one part broken is refused, without an error', async () => {
    const { ana, passkeys, hers, register, answer } = await openWithAna();
    for (const broken of ['', 'AA', '!!', 'oA', 'A'.repeat(2000), 'eyJ9']) {
      for (const part of ['clientDataJSON', 'attestationObject'] as const) {
        const options = await passkeys.registrationOptions(ana, 'session');
        const made = JSON.parse(createAuthenticator(place).create(options)) as Answer;
        made.response[part] = broken;
        const text = JSON.stringify(made);
        expect(await passkeys.register(ana, 'session', text, ''), part).toBeUndefined();
      }
      for (const part of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
        const options = await passkeys.authenticationOptions('here');
        const given = JSON.parse(hers.get(options)) as Answer;
        given.response[part] = broken;
        expect(await passkeys.authenticate('here', JSON.stringify(given)), part).toBeUndefined();
      }
    }
    expect(await answer(hers)).toBeDefined();
    expect(await register(ana, createAuthenticator(place))).toBeDefined();
  });

  it('an answer of more than twelve KiB is not read', async () => {
    const { hers, passkeys } = await openWithAna();
    const sized = async (length: number) => {
      const given = hers.get(await passkeys.authenticationOptions('here'));
      return passkeys.authenticate('here', given.padEnd(length));
    };
    expect(await sized(12_288)).toBeDefined();
    expect(await sized(12_289)).toBeUndefined();
  });
});

interface Answer {
  response: Record<string, string>;
}
