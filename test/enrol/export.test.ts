import { describe, expect, it } from 'vitest';
import { withProof } from '../../src/domain/familiar.ts';
import { exportPeople } from '../../src/enrol/export.ts';
import { wordsOf } from '../support/words.ts';
import { scene, startMs } from './scene.ts';

const signedIn = { client: 'wiki', acr: 'x', authTime: 1, browser: 'Firefox', system: 'Linux' };
const startedAt = new Date(startMs).toISOString();

describe('[BD-12] what somebody takes along', () => {
  it('is all that is held about them', async () => {
    const { people, accounts, history, erasure, events, settle } = await scene();
    const { account, enrolment, sessions } = await settle('ana');
    await history.add(account.id, { event: 'signed_in', atMs: startMs + 1, ...signedIn });
    await erasure.plan(account.id, 'account', startMs + 1_000);
    const held = await people.exportOf(account.id);
    expect(held).toMatchObject({
      exported_at: startedAt,
      account: {
        ...{ sub: account.id, status: 'active', email: 'ana@example.com', email_verified: true },
        ...{ username: 'ana-name', name: 'ana Example', groups: ['staff'], enrolled: true },
        ...{ vendor_data: enrolment.vendorData, enrolled_at: startedAt, created_at: startedAt },
        consent: { version: '2026-01', at: startedAt },
      },
      face: { kept_at_didit: false, didit_session_of_enrolment: sessions[0] },
      factors: {
        passkeys: [{ name: 'ana laptop', synced: false }],
        recovery_codes: { left: 1 },
      },
      erasure: { what: 'account', at: new Date(startMs + 1_000).toISOString() },
    });
    const { history: entries, selfies_at_didit: selfies, face, factors } = held!;
    expect(entries.map(({ event }) => event)).toEqual(['signed_in', 'signed_in']);
    expect(entries[1]).toMatchObject({ at: new Date(startMs + 1).toISOString(), ...signedIn });
    expect(selfies.map(({ session }) => session).sort()).toEqual([...sessions].sort());
    expect(factors.totp).toBeDefined();
    const picture = Buffer.from(face?.portrait_base64 ?? '', 'base64');
    expect(picture.subarray(0, 3)).toEqual(Buffer.from('ffd8ff', 'hex'));
    // Opening the face for it leaves a trace like any other opening.
    const opened = { event: 'account.portrait_opened', account: account.id, reason: 'export' };
    expect(events).toMatchObject([opened]);
    expect(await accounts.find(account.id)).toEqual(account);
  });

  it('has when and where they were last, and when they signed out', async () => {
    const { people, familiar, settle } = await scene();
    const { account } = await settle('ana');
    const location = { latitude: 52.5, longitude: 13.4 };
    await familiar.change(account.id, (before) => ({
      ...withProof(before, { network: 'hash' }, location, startMs),
      signedOutAtMs: startMs,
    }));
    expect(await people.exportOf(account.id)).toMatchObject({
      ...{ devices: [], familiar_places: 1, signed_out_at: startedAt },
      last_shown: { at: startedAt, where: location },
    });
  });

  it('has nobody else in it, and nothing by which one could be them', async () => {
    const { people, settle, store } = await scene();
    const [ana, ben] = [await settle('ana'), await settle('ben')];
    const exported = await people.exportOf(ana.account.id);
    const text = JSON.stringify(exported);
    expect(ben.canaries.filter((canary) => text.includes(canary))).toEqual([]);
    expect(wordsOf(exported)).not.toContain('ben');
    for (const secret of await secretsOf(ana.account.id, store)) expect(text).not.toContain(secret);
    const { portraitKey, portraitHash } = ana.enrolment;
    expect(text).not.toContain(portraitKey);
    expect(text).not.toContain(portraitHash);
  });

  it('is nothing when there is nobody, or nobody any more', async () => {
    const { people, erasure, settle } = await scene();
    const { account } = await settle('ana');
    await erasure.eraseAccount(account.id);
    expect(await people.exportOf(account.id)).toBeUndefined();
    expect(await people.exportOf('nobody')).toBeUndefined();
  });
});

it('[BD-12] the export of everybody has a line for each, without pictures, keys and secrets', async () => {
  const { accounts, factorRecords, erasure, events, settle, store } = await scene();
  const settled = [await settle('ana'), await settle('ben'), await settle('chiyo')];
  await erasure.eraseAccount(settled[2]!.account.id);
  const lines = await Array.fromAsync(exportPeople({ accounts, factors: factorRecords }));
  lines.sort((a, b) => (a.email ?? 'z').localeCompare(b.email ?? 'z'));
  expect(lines).toMatchObject([
    {
      ...{ sub: settled[0]!.account.id, email: 'ana@example.com', enrolled: true },
      factors: { passkeys: 1, totp: true, recovery_codes: 1 },
    },
    { email: 'ben@example.com' },
    { sub: settled[2]!.account.id, status: 'erased', enrolled: false },
  ]);
  const text = JSON.stringify(lines);
  for (const { account, enrolment, picture } of settled.slice(0, 2)) {
    const secrets = await secretsOf(account.id, store);
    expect(secrets).toHaveLength(4);
    for (const secret of [...secrets, enrolment.portraitKey, enrolment.portraitHash, picture]) {
      expect(text).not.toContain(secret);
    }
  }
  expect(events).toEqual([]);
});

/** The passkey's key and id, the shared secret, and the hash of a code. */
async function secretsOf(
  accountId: string,
  store: { get(key: string): Promise<{ value: string } | undefined> },
): Promise<string[]> {
  const kept = JSON.parse((await store.get(`factors:${accountId}`))?.value ?? '{}') as {
    passkeys: { id: string; publicKey: string }[];
    totp: { secret: string };
    recoveryCodes: { hashes: string[] };
  };
  const { passkeys, totp, recoveryCodes } = kept;
  const keys = passkeys.flatMap(({ id, publicKey }) => [id, publicKey]);
  return [...keys, totp.secret, ...recoveryCodes.hashes];
}
