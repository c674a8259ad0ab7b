/** What an operator is told where the store breaks off: never that nothing was done when it may have been. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPerform } from '../../src/ops/acts/perform.ts';
import type { ActTools } from '../../src/ops/acts/tools.ts';
import { createConsole } from '../../src/ops/console/console.ts';
import { createDrafts } from '../../src/ops/console/drafts.ts';
import { consolePages } from '../../src/ops/console/pages/index.ts';
import type { Visitor } from '../../src/ops/console/sessions.ts';
import { createConsoleViews } from '../../src/ops/console/views.ts';
import { openStore } from '../../src/store/open.ts';
import { smallRandom } from '../../src/store/random.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { createFormTokens } from '../../src/web/forms.ts';
import { createLog } from '../../src/web/telemetry.ts';
import { recordsOn } from '../support/operators.ts';

const clock = Date.now;
const random = (bytes: number): string => smallRandom(bytes).toString('base64url');
const views = fileURLToPath(new URL('../../views/console', import.meta.url));
const silent = () => undefined;

/** The console of one admin who is signed in. `away`: of which records nothing is read or written. */
async function scene() {
  const { store: whole } = await openStore({
    ...{ url: 'sqlite::memory:', encryptionKeys: [], clock },
  });
  onTestFinished(() => whole.close());
  const state = { away: /^nothing/ };
  const orAway = <T>(key: string, work: () => Promise<T>): Promise<T> =>
    state.away.test(key) ? Promise.reject(new StoreUnavailable({ cause: 'a test' })) : work();
  const store: Store = {
    ...whole,
    get: (key) => orAway(key, () => whole.get(key)),
    put: (key, ...rest) => orAway(key, () => whole.put(key, ...rest)),
  };
  const records = recordsOn(store, clock);
  const person = { email: 'nora@example.com', groups: [] };
  const account = (await records.accounts.add(person))!;
  await records.operators.add(account.id, 'admin', 'test');
  const proof = { accountId: account.id, acr: 'phr:test', authTime: Math.floor(clock() / 1000) };
  const visitor = { id: 'session', proof, account, role: 'admin' } as Visitor;

  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const formTokens = createFormTokens(['a key of the cookies']);
  const tools = { ...records, clock, random, record: silent, environment: 'sandbox' };
  const handle = createConsole({
    ...{ ...tools, origin, issuer: 'https://login.example.com', sandbox: true, formTokens },
    ...{ pages: consolePages('https://login.example.com'), drafts: createDrafts(store, random) },
    perform: createPerform({
      ...{ ...tools, consoleOrigin: origin, canEnrol: false, flushAudit: () => Promise.resolve() },
    } as unknown as ActTools),
    sessions: { current: () => Promise.resolve(visitor) },
    views: createConsoleViews(views, { href: (name) => name }, 'Example'),
    namesOf: () => Promise.resolve(new Map()),
    ...{ assets: {}, cookieKeys: ['a key of the cookies'], log: createLog('silent') },
  } as unknown as Parameters<typeof createConsole>[0]);
  server.on('request', handle);
  return {
    ...{ state, store: whole, origin },
    look: async (path: string) => {
      const answer = await fetch(new URL(path, origin));
      return { status: answer.status, text: await answer.text() };
    },
    makeLink: async () => {
      const answer = await fetch(`${origin}/console/operators/link`, {
        ...{ method: 'POST', redirect: 'manual' },
        headers: { 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ role: 'viewer', form_token: formTokens.of('console session') }),
      });
      const location = answer.headers.get('location') ?? '';
      return { status: answer.status, text: await answer.text(), location };
    },
  };
}

const linkIn = (text: string): string | undefined =>
  /http:\/\/127\.0\.0\.1:\d+\/console\/welcome\/[\w-]+/.exec(text)?.[0];

describe('[PL-20] what is shown once', () => {
  it('is shown at once where it cannot be kept for the next page', async () => {
    const { state, look, makeLink } = await scene();
    state.away = /^console-draft:/;
    const { status, text } = await makeLink();
    expect([status, /<h1>([^<]*)/.exec(text)?.[1]]).toEqual([200, 'Done']);
    expect(text).toContain('Here is the link');
    const welcome = await look(linkIn(text) ?? '/console/none');
    expect(welcome.text).toContain('This link makes you an operator');
  });

  it('is still there where its page broke off, and is shown once then', async () => {
    const { state, look, makeLink } = await scene();
    const { status, location } = await makeLink();
    expect(status).toBe(303);
    state.away = /^account:|^operator/;
    const failed = await look(location);
    expect([failed.status, linkIn(failed.text)]).toEqual([503, undefined]);
    expect(failed.text).not.toMatch(/nothing was done/i);
    state.away = /^nothing/;
    expect(linkIn((await look(location)).text)).toBeDefined();
    expect(linkIn((await look(location)).text)).toBeUndefined();
  });
});

it('[PL-20] of a form that broke off nobody is told that nothing was done', async () => {
  const { state, makeLink } = await scene();
  state.away = /^operator-link/;
  const { status, text } = await makeLink();
  expect([status, /<h1>([^<]*)/.exec(text)?.[1]]).toEqual([503, 'Perhaps not done']);
  expect(text).toContain('It may have been done all the same: look before you try again.');
  expect(text).not.toMatch(/nothing was done/i);
});
