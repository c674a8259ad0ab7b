/** examples/step-up-api as it stands there: its API and its app are processes of their own beside a provider. */
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import * as jose from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { acr, acrName } from '../../src/domain/assurance.ts';
import { selfiesAsked, signedIn, tokensOf } from '../oidc/support.ts';
import { bySelfie, minute, openScene, selfieAgain, somebody } from '../support/account.ts';
import type { Answer } from '../support/browser.ts';
import { createBrowser, createParty, heading, press, settle, signIn } from '../support/login.ts';
import { freePort } from '../support/ports.ts';
import { deploymentKeys } from '../support/testbed.ts';
import { answer, choose } from '../support/ways.ts';
import { end, lineOf, spawnNode } from './deployment.ts';

const audience = 'https://notes.example/api';
const other = 'https://other.example/api';
const enough = [acr.selfie, acr.selfieDevice].map((name) => acrName(name, 'sandbox'));
const outOfReach = acrName(acr.passkey, 'sandbox');
const fallback = acrName(acr.fallback, 'sandbox');

const anHour = 60 * minute;

let stage: Awaited<ReturnType<typeof openStage>>;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

async function openStage() {
  const [api, strictApi, app, strictApp] = [
    ...[await freePort(), await freePort(), await freePort(), await freePort()],
  ] as [number, number, number, number];
  const at = (port: number): string => `http://localhost:${port}`;
  const secret = randomKey();
  const scene = await openScene({
    clients: [
      {
        ...{ client_id: 'example', client_name: 'Example', client_secret: secret },
        ...{ redirect_uris: [`${at(app)}/callback`, `${at(strictApp)}/callback`] },
        first_party: true,
      },
    ],
    resources: [audience, other].map((identifier) => ({
      ...{ identifier, scope: 'notes', access_token_ttl_seconds: 5 * minute },
    })),
  });
  const running: ChildProcess[] = [];
  const run = async (name: string, port: number, env: Record<string, string>): Promise<void> => {
    const program = fileURLToPath(new URL(`../../examples/step-up-api/${name}`, import.meta.url));
    const common = { ISSUER: scene.bed.issuer, AUDIENCE: audience, PORT: String(port) };
    const child = spawnNode([program], { ...common, ...env });
    running.push(child);
    await lineOf(child, (line) => line.endsWith(at(port)));
  };
  const client = { CLIENT_ID: 'example', CLIENT_SECRET: secret };
  await run('api.ts', api, { ENOUGH: enough.join(' ') });
  await run('api.ts', strictApi, { ENOUGH: outOfReach });
  await run('app.ts', app, { ...client, API: at(api) });
  await run('app.ts', strictApp, { ...client, API: at(strictApi) });
  return {
    ...{ scene, bed: scene.bed, party: await createParty(scene.bed), secret },
    ...{ api: at(api), app: at(app), strictApp: at(strictApp) },
    async close() {
      await Promise.all(running.map((child) => end(child, 'SIGKILL')));
      await scene.close();
    },
  };
}

/** The provider's clock is ours to turn; the API and the app, processes of their own, have the real one. */
async function ago<T>(seconds: number, what: () => Promise<T>): Promise<T> {
  stage.scene.pass(-seconds);
  try {
    return await what();
  } finally {
    stage.scene.pass(seconds);
  }
}

/** Somebody, and how often their browser was sent to the provider for a sign-in. */
async function openBrowser() {
  const sentTo: string[] = [];
  const browser = createBrowser({
    seen: ({ location }) => {
      if (location?.startsWith(`${stage.bed.issuer}/auth?`)) sentTo.push(location);
    },
  });
  const open = async (url: string): Promise<Answer> => settle(browser, await browser.get(url));
  return { browser, open, sentTo, person: await somebody(stage.scene) };
}

type Visit = Awaited<ReturnType<typeof openBrowser>>;

/** A code of the app and one from the paper: mails are few in a quarter of an hour. */
async function byCodes({ browser, person }: Visit, page: Answer, steps = 0): Promise<Answer> {
  const asksWho = page.text.includes('/identify"');
  const choice = asksWho
    ? await settle(browser, await press(browser, page, 'identify', { identifier: person.address }))
    : page;
  const second = await answer(browser, await choose(browser, choice, 'totp'), person.app(steps));
  const paper = await choose(browser, second, 'recovery');
  const ready = await answer(browser, paper, person.paper.pop() ?? '');
  return settle(browser, await press(browser, ready, 'resume'));
}

const told = ({ status, text }: Answer) => ({
  status,
  ...(JSON.parse(text) as { what?: string; acr?: string; auth_time?: number }),
});
const asked = (address: string | undefined) => new URL(address ?? '').searchParams;

async function call(path: string, token?: string, scheme = 'Bearer') {
  const headers = token === undefined ? {} : { authorization: `${scheme} ${token}` };
  const response = await fetch(stage.api + path, { headers });
  return { status: response.status, challenge: response.headers.get('www-authenticate') };
}

describe('[AS-04] an app and an API that asks for more', () => {
  it('after a sign-in by two codes: one step up by a selfie, and the vault is open', async () => {
    const visit = await openBrowser();
    const { browser, open, sentTo, person } = visit;
    const notes = await byCodes(visit, await open(`${stage.app}/notes`));
    const sub = person.accountId;
    expect(told(notes)).toMatchObject({ status: 200, what: 'notes', sub, acr: fallback });

    const page = await open(`${stage.app}/vault`);
    expect(heading(page)).toBe('One selfie to sign in');
    expect(sentTo).toHaveLength(2);
    expect(asked(sentTo[1]).get('acr_values')).toBe(enough.join(' '));
    expect(asked(sentTo[1]).get('max_age')).toBe('300');
    const vault = await selfieAgain(browser, page, person.address);
    expect(told(vault)).toMatchObject({ status: 200, what: 'vault', sub, acr: enough[0] });
    expect(told(await open(`${stage.app}/vault`))).toMatchObject({ status: 200, what: 'vault' });
    expect(sentTo).toHaveLength(2);
  });

  it('after a selfie of an hour ago: another one, and the vault is open', async () => {
    const { browser, open, sentTo, person } = await openBrowser();
    await ago(anHour, () => bySelfie(stage.scene, person.address, browser));
    sentTo.splice(0);
    const notes = told(await open(`${stage.app}/notes`));
    expect(notes).toMatchObject({ status: 200, what: 'notes', acr: enough[0] });
    const page = await open(`${stage.app}/vault`);
    expect(heading(page)).toBe('One selfie to sign in');
    const vault = told(await selfieAgain(browser, page, person.address));
    expect(vault).toMatchObject({ status: 200, what: 'vault', acr: enough[0] });
    expect(vault.auth_time).toBeGreaterThanOrEqual((notes.auth_time ?? Infinity) + anHour);
    expect(sentTo).toHaveLength(2);
  });

  it('after a selfie of just now: the vault is open at once', async () => {
    const { browser, open, sentTo, person } = await openBrowser();
    const vault = await selfieAgain(browser, await open(`${stage.app}/vault`), person.address);
    expect(told(vault)).toMatchObject({ status: 200, what: 'vault' });
    expect(sentTo).toHaveLength(1);
  });

  it('steps up once, when the person steps up by too little, and then says so', async () => {
    const visit = await openBrowser();
    const { open, sentTo } = visit;
    await byCodes(visit, await open(`${stage.app}/notes`));
    const refused = await byCodes(visit, await open(`${stage.app}/vault`), 1);
    expect([refused.status, refused.text]).toEqual([
      ...[403, 'The API refused: insufficient_user_authentication'],
    ]);
    expect(sentTo).toHaveLength(2);
  });

  it('steps up once, when the provider has no such thing, and costs no selfie', async () => {
    const { browser, open, sentTo, person } = await openBrowser();
    await selfieAgain(browser, await open(`${stage.strictApp}/notes`), person.address);
    const selfies = await selfiesAsked(stage.bed);
    const refused = await open(`${stage.strictApp}/vault`);
    expect([refused.status, refused.text]).toEqual([
      ...[403, 'The API refused: insufficient_user_authentication'],
    ]);
    expect(sentTo).toHaveLength(2);
    expect(asked(sentTo[1]).get('acr_values')).toBe(outOfReach);
    expect(await selfiesAsked(stage.bed)).toBe(selfies);
  });

  it('says so when the person does not want to, and the session is as before', async () => {
    const visit = await openBrowser();
    const { browser, open, sentTo } = visit;
    await byCodes(visit, await open(`${stage.app}/notes`));
    const page = await open(`${stage.app}/vault`);
    const back = await settle(browser, await press(browser, page, 'cancel'));
    expect([back.status, back.text]).toEqual([400, expect.stringContaining('Not signed in')]);
    expect(told(await open(`${stage.app}/notes`))).toMatchObject({ status: 200, acr: fallback });
    expect(sentTo).toHaveLength(2);
  });

  it('gets a new token for one that is out of date, once, and steps up if that is asked, too', async () => {
    const { browser, open, sentTo, person } = await openBrowser();
    const notes = await ago(9 * minute, async () =>
      selfieAgain(browser, await open(`${stage.app}/notes`), person.address),
    );
    // The provider's clock was so far behind that its new token was of no use, either.
    expect([notes.status, notes.text]).toEqual([403, 'The API refused: invalid_token']);
    expect(sentTo).toHaveLength(2);
    const page = await open(`${stage.app}/vault`);
    expect(heading(page)).toBe('One selfie to sign in');
    const vault = await selfieAgain(browser, page, person.address);
    expect(told(vault)).toMatchObject({ status: 200, what: 'vault' });
    expect(sentTo).toHaveLength(4);
  });

  it('takes no answer that this browser did not ask for', async () => {
    const [mine, theirs] = [await openBrowser(), await openBrowser()];
    const { location = '' } = await theirs.browser.get(`${stage.app}/notes`);
    await mine.browser.get(`${stage.app}/notes`);
    const state = asked(location).get('state') ?? '';
    const forged = new URLSearchParams({ code: 'x', state, iss: stage.bed.issuer });
    const refused = await mine.browser.get(`${stage.app}/callback?${forged.toString()}`);
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('Not signed in')]);
    expect((await mine.browser.get(`${stage.app}/callback`)).text).toContain('Nobody here');
  });
});

const challengeOf = (description: string): string =>
  [
    ...['Bearer error="insufficient_user_authentication"', `error_description="${description}"`],
    ...[`acr_values="${enough.join(' ')}"`, 'max_age="300"'],
  ].join(', ');
const stronger = challengeOf('A stronger way of signing in is required');
const fresher = challengeOf('A more recent sign-in is required');
const invalid =
  'Bearer error="invalid_token", error_description="The access token is not one that is good here and now"';

const seconds = (): number => Math.floor(Date.now() / 1000);

/** A token by the provider's own key, unless another is given. */
async function made(
  claims: Record<string, unknown> = {},
  header: Partial<jose.JWTHeaderParameters> = {},
  key?: jose.CryptoKey,
): Promise<string> {
  const { jwks } = await deploymentKeys();
  const own = jwks.keys.find(({ alg }) => alg === 'ES256')!;
  const payload = {
    ...{ iss: stage.bed.issuer, aud: audience, sub: 'somebody', client_id: 'example' },
    ...{ scope: 'notes', jti: randomUUID(), iat: seconds(), exp: seconds() + 60 },
    ...{ acr: enough[0], auth_time: seconds() },
    ...claims,
  };
  return new jose.SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', kid: own.kid!, typ: 'at+jwt', ...header })
    .sign(key ?? (await jose.importJWK(own, 'ES256')));
}

describe('[AS-04] the API’s answer', () => {
  it('to a real token of a sign-in of an hour ago is what would be enough', async () => {
    const { address } = await somebody(stage.scene);
    const browser = await ago(anHour, () => signedIn(stage.bed, address));
    const request = await stage.party.begin({ resource: audience, scope: 'openid notes' });
    const { access_token: token } = await tokensOf(browser, request);
    expect(await call('/notes', token)).toEqual({ status: 200, challenge: null });
    expect(await call('/vault', token)).toEqual({ status: 401, challenge: fresher });
  });

  it('to no token, or to another scheme, names no error', async () => {
    for (const [token, scheme] of [[undefined], ['abc', 'Basic'], ['a b'], ['', 'Bearer']]) {
      expect(await call('/vault', token, scheme)).toEqual({ status: 401, challenge: 'Bearer' });
    }
  });

  it.each<[string, Record<string, unknown> | (() => Record<string, unknown>), string | null]>([
    ['a selfie of now', {}, null],
    ['the other class that will do', { acr: enough[1] }, null],
    ['four minutes ago', () => ({ auth_time: seconds() - 240 }), null],
    ['six minutes ago', () => ({ auth_time: seconds() - 360 }), fresher],
    ['a time to come', () => ({ auth_time: seconds() + 3_600 }), fresher],
    ['no time', { auth_time: undefined }, fresher],
    ['a time that is none', () => ({ auth_time: String(seconds()) }), fresher],
    ['two codes', { acr: fallback }, stronger],
    ['no class', { acr: undefined }, stronger],
    ['a list of classes', { acr: enough }, stronger],
    ['the same class, live', { acr: acr.selfie }, stronger],
    ['a name that begins like it', { acr: `${enough[0]!}-x` }, stronger],
    ['a passkey, which says nothing of a face', { acr: outOfReach }, stronger],
  ])('to %s is right', async (_, claims, challenge) => {
    const token = await made(typeof claims === 'function' ? claims() : claims);
    expect(await call('/vault', token)).toEqual({ status: challenge ? 401 : 200, challenge });
    expect((await call('/notes', token)).status).toBe(200);
  });

  it('to another scope is that it is the wrong one', async () => {
    for (const scope of ['openid', 'notes:write', undefined, ['notes']]) {
      expect(await call('/vault', await made({ scope }))).toEqual({
        status: 403,
        challenge: 'Bearer error="insufficient_scope", scope="notes"',
      });
    }
  });

  it.each<[string, () => Promise<string>]>([
    ['is out of date', () => made({ exp: seconds() - 10 })],
    ['ends never', () => made({ exp: undefined })],
    ['is for another API', () => made({ aud: other })],
    ['is for nobody', () => made({ aud: undefined })],
    ['is by another issuer', () => made({ iss: 'https://login.example.com' })],
    ['is an ID token', () => made({}, { typ: 'JWT' })],
    ['has no type', () => made({}, { typ: undefined } as object)],
    ['is nobody’s', () => made({ sub: undefined })],
    ['is bound to a key', () => made({ cnf: { jkt: 'abc' } })],
    [
      'is signed by a key of somebody else',
      async () => made({}, {}, (await jose.generateKeyPair('ES256')).privateKey),
    ],
    [
      'names a key that nobody has',
      async () => made({}, { kid: 'x' }, (await jose.generateKeyPair('ES256')).privateKey),
    ],
    [
      'brings its own key along',
      async () => {
        const { privateKey, publicKey } = await jose.generateKeyPair('ES256', {
          extractable: true,
        });
        return made({}, { jwk: await jose.exportJWK(publicKey) }, privateKey);
      },
    ],
    [
      'was changed',
      async () => {
        const [head, , signature] = (await made({ acr: fallback })).split('.');
        const [, body] = (await made()).split('.');
        return [head, body, signature].join('.');
      },
    ],
    [
      'has no signature',
      async () => {
        const [, body = ''] = (await made()).split('.');
        return `${jose.base64url.encode('{"alg":"none","typ":"at+jwt"}')}.${body}.`;
      },
    ],
    ['is none', () => Promise.resolve('a.b.c')],
    ['is opaque', () => Promise.resolve(randomKey())],
  ])('to a token that %s is invalid_token', async (_, token) => {
    // What is wrong with it is the one thing that is wrong.
    expect((await call('/vault', await made())).status).toBe(200);
    const value = await token();
    for (const path of ['/vault', '/notes']) {
      expect(await call(path, value)).toEqual({ status: 401, challenge: invalid });
    }
  });

  it('to a real token for another API, and to a real ID token, is invalid_token', async () => {
    const { address } = await somebody(stage.scene);
    const request = await stage.party.begin({ resource: other, scope: 'openid notes' });
    const tokens = await request.finish(await signIn(createBrowser(), request, address));
    for (const token of [tokens.access_token, tokens.id_token ?? '']) {
      expect(await call('/vault', token)).toEqual({ status: 401, challenge: invalid });
    }
  });
});
