/** Mails of a whole provider: through the operator's server, also after it or the provider was away. */
import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createAccounts } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import { overhear } from '../didit/support.ts';
import { createBrowser, createParty, toSelfie } from '../support/login.ts';
import { freePort } from '../support/ports.ts';
import { freshRedis } from '../support/redis.ts';
import { startMailServer } from '../support/smtp.ts';
import { startTestbed } from '../support/testbed.ts';

async function start(port: number) {
  const overheard = overhear();
  let nowMs = Date.now();
  const store = { url: await freshRedis(), encryptionKeys: [randomBytes(32).toString('base64')] };
  const bed = await startTestbed({
    ...{ fetch: overheard.fetch, clock: () => nowMs },
    flags: {
      store,
      mail: { smtpUrl: `smtp://127.0.0.1:${port}`, from: 'Acme <login@acme.example>' },
      operator: { name: 'Acme', supportAddress: 'help@acme.example' },
    },
  });
  onTestFinished(() => bed.close());
  return {
    ...{ bed, store },
    pass: (ms: number) => void (nowMs += ms),
    /** Somebody opens the link to a selfie that was asked for in another browser. */
    borrow: async (): Promise<void> => {
      const party = await createParty(bed);
      await toSelfie(createBrowser(), await party.begin(), 'ana@example.com');
      await createBrowser().get(overheard.latest().body.callback);
    },
  };
}

it('a warning reaches the mail server, in the operator’s name and with our own address', async () => {
  const server = await startMailServer();
  onTestFinished(() => server.close());
  const { bed, borrow } = await start(server.port);
  await borrow();
  await vi.waitFor(() => expect(server.mails).toHaveLength(1), { timeout: 5_000 });
  const [mail] = server.mails;
  expect(mail).toMatchObject({ from: 'login@acme.example', to: ['ana@example.com'] });
  expect(mail?.parts['text/plain']).toContain(
    `Acme sent this. Links in our mails lead to ${new URL(bed.issuer).host} alone`,
  );
  expect(mail?.parts['text/plain']).toContain('Help: help@acme.example');
  expect(bed.mails).toEqual([]);
});

it('a warning outlives a mail server that is down and a provider that is started again', async () => {
  const port = await freePort();
  const { bed, pass, borrow } = await start(port);
  await borrow();
  const failed = { event: 'mail.failed', kind: 'borrowed_selfie', reason: 'unreachable' };
  await vi.waitFor(() => expect(bed.events).toContainEqual(expect.objectContaining(failed)), {
    timeout: 5_000,
  });
  await bed.restart();
  const server = await startMailServer({ port });
  onTestFinished(() => server.close());
  pass(5_000);
  await vi.waitFor(() => expect(server.mails).toHaveLength(1), { timeout: 5_000 });
});

it('nobody is written to at an address that was not confirmed', async () => {
  const server = await startMailServer();
  onTestFinished(() => server.close());
  const { bed, store: at, borrow } = await start(server.port);
  const { store } = await openStore({ ...at, clock: Date.now });
  onTestFinished(() => store.close());
  const accounts = createAccounts(store, { clock: Date.now, random: () => '' });
  const id = (await accounts.idOf('ana@example.com')) ?? '';
  expect(await accounts.change(id, (ana) => ({ ...ana, emailVerified: false }))).toBe(true);
  await borrow();
  expect(bed.events).toContainEqual(expect.objectContaining({ event: 'login.foreign' }));
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect([server.mails, server.steps]).toEqual([[], []]);
});
