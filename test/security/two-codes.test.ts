/** Signing in by two typed factors: one is never enough, and each is right in its own sign-in, once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccounts } from '../../src/store/accounts.ts';
import type { Store } from '../../src/store/store.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import {
  type Party,
  createParty,
  heading,
  interactionOf,
  isCallback,
  press,
  settle,
  signIn,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import {
  type Equipped,
  answer,
  browserElsewhere,
  choose,
  equip,
  finishOn,
  mailedCode,
  toChoice,
  waysOn,
} from '../support/ways.ts';

type Way = 'mail' | 'totp' | 'recovery';

const fallback = 'urn:didit-oidc:acr:fallback:test';
let bed: Testbed;
let store: Store;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    people: 60,
    flags: { trustProxy: 1 },
  });
  store = await bed.openStore();
  party = await createParty(bed);
});
afterAll(async () => {
  await store.close();
  await bed.close();
});

/** Somebody with an app and recovery codes, and how they answer. */
async function somebody(has?: string[]) {
  const address = bed.person();
  const equipped = await equip(store, address, has ? { has } : {});
  return { ...equipped, address, code: codesOf(address, equipped) };
}

function codesOf(address: string, { app, paper }: Equipped): (way: Way) => Promise<string> {
  return async (way) => {
    if (way === 'mail') return mailedCode(bed, address);
    return way === 'totp' ? app() : paper.pop()!;
  };
}

/** As far as the page that asks for the first code. */
async function begin(address: string, way: Way, parameters: Record<string, string> = {}) {
  const browser = browserElsewhere();
  const request = await party.begin(parameters);
  const choice = await toChoice(browser, request, address);
  return { browser, request, asked: await choose(browser, choice, way) };
}

/** Every way that a browser has of going on without another code. */
async function expectShut(browser: TestBrowser): Promise<void> {
  const here = await interactionOf(browser, bed);
  for (const step of ['resume', 'allow']) {
    const { location = '' } = await settle(browser, await browser.post(`${here}/${step}`));
    expect(location, step).not.toContain('code=');
  }
  const library = await browser.get(here.replace('/interaction/', '/auth/'));
  expect(library.location ?? '').not.toContain('code=');
  const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
  expect(silent.location).toContain('error=login_required');
}

const isRefused = ({ status, text }: Answer): boolean =>
  status === 400 && text.includes('That was not right');

describe('two codes', () => {
  it.each<[Way, Way, string[]]>([
    ['mail', 'totp', ['otp', 'mca']],
    ['totp', 'mail', ['otp', 'mca']],
    ['mail', 'recovery', ['otp', 'mca']],
    ['recovery', 'mail', ['otp', 'mca']],
    ['totp', 'recovery', ['otp']],
    ['recovery', 'totp', ['otp']],
  ])(
    '[AS-01] [FB-06] %s and %s sign in, and the token says what they were',
    async (one, two, amr) => {
      const { address, accountId, code } = await somebody();
      const { browser, request, asked } = await begin(address, one);
      const second = await answer(browser, asked, await code(one));
      expect(heading(second)).toBe('One more step');
      const last = await choose(browser, second, two);
      expect(heading(last)).toBe('One more step');
      const begunAtMs = Date.now();
      const ready = await answer(browser, last, await code(two));
      const claims = (await request.finish(await finishOn(browser, ready))).claims();
      expect(claims).toMatchObject({ sub: accountId, acr: fallback, amr });
      expect(claims?.auth_time).toBeGreaterThanOrEqual(Math.floor(begunAtMs / 1000));
    },
  );

  it('[FB-08] after the first one only what this person has is offered, and one alone is asked for at once', async () => {
    const both = await somebody();
    const offered = await begin(both.address, 'mail');
    const list = await answer(offered.browser, offered.asked, await both.code('mail'));
    expect(waysOn(list)).toEqual(['totp', 'recovery']);

    const app = await somebody(['totp']);
    const asked = await begin(app.address, 'mail');
    const second = await answer(asked.browser, asked.asked, await app.code('mail'));
    expect(second.text).toContain('the one that the app on your phone shows');
    expect(waysOn(second)).toEqual([]);
    expect(heading(await answer(asked.browser, second, app.app()))).toBe('It is you');

    const sent = bed.mails.length;
    const other = await begin(app.address, 'totp');
    const mail = await answer(other.browser, other.asked, app.app(1));
    expect(mail.text).toContain('on its way to your e-mail address');
    const mailed = await mailedCode(bed, app.address, sent);
    expect(heading(await answer(other.browser, mail, mailed))).toBe('It is you');
  });

  it('[FB-08] are not there where one alone is set up: the person is told, and led on', async () => {
    const { address, code } = await somebody([]);
    const { browser, asked } = await begin(address, 'mail');
    const none = await answer(browser, asked, await code('mail'));
    expect(none.text).toContain('nothing else is set up for you');
    expect(waysOn(none)).toEqual([]);
    await expectShut(browser);
    const selfie = await settle(browser, await press(browser, none, 'selfie-next'));
    expect(heading(selfie)).toBe('One selfie to sign in');
  });

  it('tell the person by mail, with what they were; of a selfie only that the browser is new', async () => {
    const { address, code, app } = await somebody();
    const { browser, request, asked } = await begin(address, 'mail');
    const second = await answer(browser, asked, await code('mail'));
    const ready = await answer(browser, await choose(browser, second, 'totp'), app());
    const written = (): unknown[] =>
      bed.mails.filter(({ to, message }) => to.address === address && message.kind !== 'code');
    expect(written()).toEqual([]);
    await request.finish(await finishOn(browser, ready));
    await soon(() => {
      expect(written()).toMatchObject([
        {
          to: { address },
          message: {
            ...{ kind: 'other_way', factors: ['mail', 'totp'], client: 'First' },
            ...{ atMs: expect.any(Number) as number, browser: 'Chrome', system: 'Linux' },
          },
        },
      ]);
    });
    const selfie = await party.begin();
    await selfie.finish(await signIn(browserElsewhere(), selfie, address));
    const keys = { kind: 'new_device', keepsKey: false };
    await soon(() => expect(written()).toMatchObject([{}, { message: keys }]));
  });

  it('[PL-26] leave ids and reasons in the log, and no code', async () => {
    const { address, accountId, code } = await somebody();
    bed.events.splice(0);
    const { browser, request, asked } = await begin(address, 'mail');
    const [mail, recovery] = [await code('mail'), await code('recovery')];
    await answer(browser, asked, '12345678');
    const second = await choose(browser, await answer(browser, asked, mail), 'recovery');
    await request.finish(await finishOn(browser, await answer(browser, second, recovery)));
    await soon(() => {
      expect(bed.events.map(({ event, reason }) => [event, reason].join(' '))).toEqual([
        ...[
          'login.started ',
          'login.decided selfie: a new device',
          'factor.asked mail',
          'mail.sent ',
        ],
        ...['factor.refused mail', 'factor.proven mail', 'factor.asked recovery'],
        ...['factor.proven recovery', `login.completed ${fallback}`, 'mail.sent '],
      ]);
    });
    const told = JSON.stringify(bed.events);
    expect(told).toContain(accountId);
    for (const secret of [address, mail, recovery]) expect(told).not.toContain(secret);
  });
});

describe('one code', () => {
  it.each<Way>(['mail', 'totp', 'recovery'])('[FB-06] alone opens nothing: %s', async (way) => {
    const { address, accountId, code } = await somebody();
    const { browser, asked } = await begin(address, way);
    const second = await answer(browser, asked, await code(way));
    expect(heading(second)).toBe('One more step');
    // Nor with the same way once more, by a form that no page shows.
    const here = await interactionOf(browser, bed);
    await browser.post(`${here}/factor`, { factor: way });
    await browser.post(`${here}/answer`, { answer: way === 'totp' ? '' : await code(way) });
    expect(heading(await browser.get(here))).toBe('One more step');
    await expectShut(browser);
    const completed = bed.events.filter(({ event }) => event === 'login.completed');
    expect(completed.map(({ account }) => account)).not.toContain(accountId);
  });

  it('[FB-06] counts in the sign-in that it was typed in, and in no other', async () => {
    const { address, code, app } = await somebody();
    const one = await begin(address, 'totp');
    await answer(one.browser, one.asked, app());
    const two = await begin(address, 'mail');
    const second = await answer(two.browser, two.asked, await code('mail'));
    expect(heading(second)).toBe('One more step');
    await expectShut(one.browser);
    await expectShut(two.browser);
  });

  it('[FB-06] is forgotten when the person starts again, by a selfie or as somebody else', async () => {
    for (const step of ['try-again', 'start-over', 'other-way', 'selfie']) {
      const { address, code } = await somebody();
      const { browser, asked } = await begin(address, 'mail');
      await answer(browser, asked, await code('mail'));
      const here = await interactionOf(browser, bed);
      await browser.post(`${here}/${step}`);
      if (step === 'start-over') await browser.post(`${here}/identify`, { identifier: address });
      await browser.post(`${here}/factor`, { factor: 'recovery' });
      const page = await answer(browser, await browser.get(here), await code('recovery'));
      expect(heading(page), step).toBe('One more step');
      await expectShut(browser);
    }
  });
});

describe('a code', () => {
  it('[FB-06] from a mail is of no use in another browser, nor in another sign-in of the same one', async () => {
    const { address, code } = await somebody();
    const mine = await begin(address, 'mail');
    const mailed = await code('mail');
    // Whoever was sent it by somebody, or reads the mail, has a sign-in of their own.
    const other = await begin(address, 'mail');
    expect(isRefused(await answer(other.browser, other.asked, mailed))).toBe(true);
    // And cannot answer in the first one, whose cookie they do not have.
    const here = await interactionOf(mine.browser, bed);
    const foreign = await other.browser.post(`${here}/answer`, { answer: mailed });
    expect(foreign.status).toBe(400);
    expect(foreign.text).toContain('You began in another browser');
    // Beginning anew ends it, too.
    await mine.browser.post(`${here}/try-again`);
    await mine.browser.post(`${here}/factor`, { factor: 'totp' });
    await mine.browser.post(`${here}/factor`, { factor: 'mail' });
    const page = await mine.browser.get(here);
    expect(isRefused(await answer(mine.browser, page, mailed))).toBe(true);
  });

  it('[FB-06] that was sent again takes the place of the first one', async () => {
    const { address, code } = await somebody();
    const { browser, asked } = await begin(address, 'mail');
    const first = await code('mail');
    const sent = bed.mails.length;
    const again = await choose(browser, asked, 'mail');
    const second = await mailedCode(bed, address, sent);
    expect(isRefused(await answer(browser, again, first))).toBe(true);
    expect(heading(await answer(browser, again, second))).toBe('One more step');
  });

  it.each<Way>(['totp', 'recovery'])('[FB-04] [FB-05] is not taken twice: %s', async (way) => {
    const { address, app, paper } = await somebody();
    const used = way === 'totp' ? app() : paper[0]!;
    const one = await begin(address, way);
    expect(heading(await answer(one.browser, one.asked, used))).toBe('One more step');
    const two = await begin(address, way);
    expect(isRefused(await answer(two.browser, two.asked, used))).toBe(true);
  });

  it.each<Way>(['totp', 'recovery'])('[FB-04] of somebody else is wrong: %s', async (way) => {
    const [mine, theirs] = [await somebody(), await somebody()];
    const { browser, asked } = await begin(mine.address, way);
    expect(isRefused(await answer(browser, asked, await theirs.code(way)))).toBe(true);
    // Theirs is as good as before.
    expect(isRefused(await answer(browser, asked, await mine.code(way)))).toBe(false);
  });

  it('[FB-06] that was typed before the account was blocked opens nothing after it', async () => {
    const accounts = createAccounts(store, { clock: Date.now, random: () => '' });
    const half = async () => {
      const { address, accountId, code, app } = await somebody();
      const { browser, asked } = await begin(address, 'mail');
      const second = await answer(browser, asked, await code('mail'));
      return { accountId, app, browser, last: await choose(browser, second, 'totp') };
    };
    const one = await half();
    await accounts.setStatus(one.accountId, 'blocked');
    expect(isRefused(await answer(one.browser, one.last, one.app()))).toBe(true);
    await expectShut(one.browser);

    const two = await half();
    const ready = await answer(two.browser, two.last, two.app());
    await accounts.setStatus(two.accountId, 'blocked');
    const denied = await settle(two.browser, await press(two.browser, ready, 'resume'));
    expect(denied.text).toContain('Something about this account was changed');
    await expectShut(two.browser);
  });
});

describe('[FB-07] an app that insists', () => {
  const insist = (value: string): Record<string, string> => ({
    claims: JSON.stringify({ id_token: { acr: { essential: true, value } } }),
  });

  it('on a selfie is offered no other way, also while Didit is away', async () => {
    const { address } = await somebody();
    const browser = browserElsewhere();
    const request = await party.begin(insist('urn:didit-oidc:acr:selfie:test'));
    const choice = await toChoice(browser, request, address);
    expect(waysOn(choice)).toEqual([]);
    await bed.control('faults', { api: { operation: 'create', mode: 503, times: 10 } });
    const away = await settle(browser, await press(browser, choice, 'selfie'));
    await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
    expect(away.text).toContain('not answering at the moment');
    expect(waysOn(away)).toEqual([]);
    const forced = await browser.post(`${await interactionOf(browser, bed)}/factor`, {
      factor: 'totp',
    });
    expect(forced.status).toBe(400);
    await expectShut(browser);
  });

  it('gets no code by a session that two codes began', async () => {
    const { address, code, app } = await somebody();
    const { browser, request, asked } = await begin(address, 'mail');
    const second = await answer(browser, asked, await code('mail'));
    const ready = await answer(browser, await choose(browser, second, 'totp'), app());
    await request.finish(await finishOn(browser, ready));

    const strict = await party.begin({ ...insist('urn:didit-oidc:acr:selfie:test') });
    const asksAgain = await browser.get(strict.url);
    expect(asksAgain.location).toContain('/interaction/');
    const silent = await party.begin({
      ...insist('urn:didit-oidc:acr:selfie:test'),
      prompt: 'none',
    });
    const { location = '' } = await browser.get(silent.url);
    expect(location).toSatisfy(isCallback);
    expect(location).not.toContain('code=');
  });

  it('on what two codes prove gets it, and one that only wishes for more is told the truth', async () => {
    for (const parameters of [insist(fallback), { acr_values: 'urn:didit-oidc:acr:selfie:test' }]) {
      const { address, code, app } = await somebody();
      const { browser, request, asked } = await begin(address, 'mail', parameters);
      const second = await answer(browser, asked, await code('mail'));
      const ready = await answer(browser, await choose(browser, second, 'totp'), app());
      const claims = (await request.finish(await finishOn(browser, ready))).claims();
      expect(claims?.acr).toBe(fallback);
    }
  });
});
