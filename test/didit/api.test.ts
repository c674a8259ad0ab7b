import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CreateRequest } from '../../src/didit/port.ts';
import { createBrowser, createParty, toSelfie } from '../support/login.ts';
import { startTestbed } from '../support/testbed.ts';
import { type Answer, type Received, hosted, say, startDidit } from './server.ts';
import { overhear } from './support.ts';

const created = {
  session_id: '11111111-2222-4333-8444-555555555555',
  status: 'Not Started',
  url: `${hosted}/session/3FaJ9wLqX2Mz`,
  workflow_version: 3,
};
const decision = { session_id: created.session_id, status: 'Approved' };
const request: CreateRequest = {
  workflowId: 'workflow-1',
  workflowType: 'biometric_authentication',
  vendorData: 'opaque-1',
  callback: 'https://login.example/interaction/u/didit/n',
  metadata: { purpose: 'returning_user_signin', nonce: 'n-1' },
  uiLocales: 'tlh de-AT en',
  portraitImage: '/9j/4AAQ',
};

describe('create-session', () => {
  it('sends what the product page says, with the key, to the path with its slash', async () => {
    const { api, received } = await startDidit(say(201, created));
    await expect(api.createSession(request)).resolves.toEqual({
      diditSessionId: created.session_id,
      status: 'Not Started',
      workflowVersion: 3,
      url: created.url,
    });
    expect(received).toMatchObject([{ method: 'POST', path: '/v3/session/' }]);
    expect(received[0]?.headers).toMatchObject({
      'x-api-key': 'key-1',
      'content-type': 'application/json',
    });
    expect(received[0]?.body).toEqual({
      workflow_id: 'workflow-1',
      workflow_type: 'biometric_authentication',
      vendor_data: 'opaque-1',
      callback: request.callback,
      callback_method: 'completer',
      metadata: { purpose: 'returning_user_signin', nonce: 'n-1' },
      language: 'de',
      portrait_image: '/9j/4AAQ',
    });
  });

  it('sends no picture when Didit has the face, and no language that Didit lacks', async () => {
    const { api, received } = await startDidit(say(201, created));
    await api.createSession({ ...request, portraitImage: undefined, uiLocales: 'tlh' });
    expect(received[0]?.body).not.toHaveProperty('portrait_image');
    expect(received[0]?.body).not.toHaveProperty('language');
  });

  it('sends neither type nor picture for an enrolment, whose workflow says what is done', async () => {
    const { api, received } = await startDidit(say(201, created));
    const enrolment = { workflowType: undefined, portraitImage: undefined } as const;
    await api.createSession({ ...request, ...enrolment });
    expect(received[0]?.body).not.toHaveProperty('workflow_type');
    expect(received[0]?.body).not.toHaveProperty('portrait_image');
    expect(received[0]?.body).toMatchObject({ vendor_data: 'opaque-1', workflow_id: 'workflow-1' });
    await api.createSession(request);
    expect(received[1]?.body).toMatchObject({ workflow_type: 'biometric_authentication' });
  });

  it('leaves workflow_type out for good once Didit refuses it, and says so once', async () => {
    const { api, received, warnings } = await startDidit((res, { body }) =>
      'workflow_type' in body
        ? say(400, { workflow_type: ['Unexpected field.'] })(res, received[0]!)
        : say(201, created)(res, received[0]!),
    );
    await api.createSession(request);
    await api.createSession(request);
    expect(received.map(({ body }) => 'workflow_type' in body)).toEqual([true, false, false]);
    expect(warnings).toHaveLength(1);
  });

  it('follows no link to a page that is hosted elsewhere', async () => {
    for (const url of ['https://evil.example/session/1', `${hosted}.evil.example/`, 'nonsense']) {
      const { api } = await startDidit(say(201, { ...created, url }));
      await expect(api.createSession(request)).rejects.toMatchObject({ failure: 'refused' });
    }
  });

  it('[AB-11] without credit Didit is asked once a minute, however many people come', async () => {
    let nowMs = Date.now();
    const answer = say(403, { detail: "You don't have enough credits." });
    const { api, received, alarms } = await startDidit(answer, () => nowMs);
    for (let people = 0; people < 20; people += 1) {
      const refused = { failure: 'out_of_credit' };
      await expect(api.createSession(request)).rejects.toMatchObject(refused);
    }
    expect(received).toHaveLength(1);
    expect(alarms).toEqual(['out_of_credit']);
    nowMs += 60_000;
    await expect(api.createSession(request)).rejects.toThrow();
    expect(received).toHaveLength(2);
  });

  it.each([
    ['not_enrolled', 400, { portrait_image: 'No stored face image was found for this user.' }],
    ['not_enrolled', 400, { portrait_image: ['Image size exceeds 2MB.'] }],
    ['blocked', 400, { vendor_data: 'This user or business has been blocked.' }],
    ['out_of_credit', 400, { detail: "You don't have enough credits." }],
    ['out_of_credit', 402, {}],
    ['out_of_credit', 403, { detail: 'Not enough credits to create a session.' }],
    ['refused', 400, { workflow_id: 'Invalid workflow_id.' }],
    ['refused', 400, { language: ['Not a valid choice.'], callback: ['Enter a valid URL.'] }],
    ['refused', 400, ['not', 'an', 'object']],
    ['refused', 401, { detail: 'Who are you?' }],
    ['refused', 403, { detail: 'You do not have permission to perform this action.' }],
    ['rate_limited', 429, { detail: 'Session creation rate limit exceeded.' }],
    ['unavailable', 500, { detail: 'Error' }],
    ['unavailable', 502, '<html>Bad Gateway</html>'],
    ['unavailable', 201, '<html>Welcome</html>'],
    ['unavailable', 201, ''],
    ['unavailable', 201, { ...created, url: undefined }],
    ['unavailable', 201, { ...created, session_id: 7 }],
  ])('fails as "%s" after %i %j, and is not repeated', async (failure, status, body) => {
    const { api, received } = await startDidit(say(status, body));
    await expect(api.createSession(request)).rejects.toMatchObject({ failure });
    expect(received).toHaveLength(1);
  });
});

const misfortunes: [string, Answer][] = [
  ['429', say(429, {})],
  ['500', say(500, {})],
  ['503', say(503, 'busy')],
  ['a page instead of JSON', say(200, '<html>Approved</html>')],
  ['half a body', say(200, JSON.stringify(decision).slice(0, -1))],
  ['no body', say(200, '')],
  ['a reset', (res) => void res.socket?.destroy()],
  [
    'fewer bytes than announced',
    (res) => {
      const text = JSON.stringify(decision);
      res.writeHead(200, { 'content-length': text.length + 9 }).write(text, () => {
        res.socket?.destroy();
      });
    },
  ],
  [
    'a redirect to a decision',
    (res, { path }) => {
      if (path === '/elsewhere') say(200, decision)(res, {} as Received);
      else res.writeHead(302, { location: '/elsewhere' }).end();
    },
  ],
  ['more than a mebibyte', (res) => res.end(`${JSON.stringify(decision)}${' '.repeat(2 ** 20)}`)],
];

describe('reading a decision', () => {
  it.each([
    ['schema_drift', 'an answer without a status', 200, { session_id: created.session_id }],
    ['unknown_session', 'a 404', 404, { detail: 'Not found.' }],
  ])(
    '[VD-14] is "%s" after %s, which is told apart from an outage',
    async (failure, _, status, body) => {
      const { api } = await startDidit(say(status, body));
      await expect(api.readDecision('s')).rejects.toMatchObject({ failure });
    },
  );

  it.each(misfortunes)('[CB-07] never yields one after %s', async (_name, answer) => {
    const { api } = await startDidit(answer);
    await expect(api.readDecision('s')).rejects.toMatchObject({
      name: 'DiditError',
      failure: expect.stringMatching(/^(unavailable|rate_limited)$/) as string,
    });
  });

  it('is tried once more after a failure that may pass', async () => {
    let answered = 0;
    const { api, received } = await startDidit((res, one) =>
      (answered++ === 0 ? say(503, {}) : say(200, decision))(res, one),
    );
    const read = await api.readDecision('a/../b');
    expect(read.decision).toMatchObject({ status: 'Approved' });
    expect(received.map(({ path }) => path)).toEqual(
      Array(2).fill('/v3/session/a%2F..%2Fb/decision/'),
    );
  });

  it('is not repeated when Didit limits the rate, or does not take the key', async () => {
    for (const status of [429, 403]) {
      const { api, received } = await startDidit(say(status, {}));
      await expect(api.readDecision('s')).rejects.toThrow();
      expect(received).toHaveLength(1);
    }
  });
});

describe('a Didit that never answers', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is not waited for: once by create, twice by a decision, all within the five seconds of a webhook', async () => {
    const timeouts = vi.spyOn(AbortSignal, 'timeout');
    const { api, received } = await startDidit(() => undefined);
    const failures = await Promise.allSettled([api.createSession(request), api.readDecision('s')]);
    expect(failures).toMatchObject(Array(2).fill({ reason: { failure: 'unavailable' } }));
    expect(received.map(({ method }) => method).sort()).toEqual(['GET', 'GET', 'POST']);
    const waitedMs = timeouts.mock.calls.map(([timeoutMs]) => timeoutMs);
    const [, ...readsMs] = waitedMs;
    const pauseMs = 300;
    expect(readsMs.reduce((sum, ms) => sum + ms, pauseMs)).toBeLessThan(5_000);
  });
});

describe('deleting a session', () => {
  it.each([
    [200, {}, 'deleted'],
    [204, '', 'deleted'],
    [404, { detail: 'Not found.' }, 'absent'],
  ])('after %i it is gone: %j', async (status, body, deletion) => {
    const { api, received } = await startDidit(say(status, body));
    expect(await api.deleteSession('s')).toBe(deletion);
    expect(received).toMatchObject([{ method: 'DELETE', path: '/v3/session/s/delete/', body: {} }]);
  });

  it.each([
    ['refused', 400, { deletion_instruction: ['Not a valid choice.'] }],
    ['refused', 403, { detail: 'You do not have permission to perform this action.' }],
    ['refused', 409, { code: 'in_filed_report' }],
    ['rate_limited', 429, {}],
    ['unavailable', 503, { detail: 'Nothing was deleted.' }],
    ['unavailable', 200, '<html>'],
  ])('fails as "%s" after %i %j, for whoever has to see to it', async (failure, status, body) => {
    const { api } = await startDidit(say(status, body));
    await expect(api.deleteSession('s', 'erasure')).rejects.toMatchObject({ failure });
  });

  it('at the person’s wish leaves no face behind, whatever the console says', async () => {
    const { api, received } = await startDidit(say(200, {}));
    expect(await api.deleteSession('s', 'erasure')).toBe('deleted');
    expect(received.map(({ body }) => body)).toEqual([
      { retain_face_embeddings: false, deletion_instruction: 'privacy_erasure' },
    ]);
  });
});

describe('a pause that Didit asks for', () => {
  afterEach(() => vi.useRealTimers());

  it.each([
    ['7', 7],
    ['86400', 60],
    ['soon', 5],
    [undefined, 5],
  ])(
    'with Retry-After %s is kept for %i seconds, by that operation alone',
    async (after, seconds) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      let isLimited = true;
      const { api, received } = await startDidit((res, one) => {
        if (after !== undefined) res.setHeader('retry-after', after);
        if (one.method === 'GET') say(200, decision)(res, one);
        else say(isLimited ? 429 : 201, created)(res, one);
      });
      const limited = { failure: 'rate_limited' };
      await expect(api.createSession(request)).rejects.toMatchObject(limited);
      isLimited = false;
      vi.setSystemTime(Date.now() + seconds * 1000 - 1);
      await expect(api.createSession(request)).rejects.toMatchObject(limited);
      await api.readDecision('s');
      expect(received.map(({ method }) => method)).toEqual(['POST', 'GET']);
      vi.setSystemTime(Date.now() + 1);
      await expect(api.createSession(request)).resolves.toMatchObject({ status: 'Not Started' });
    },
  );
});

describe('the breaker', () => {
  afterEach(() => vi.useRealTimers());

  it('opens after five failures, asks nothing for ten seconds, then closes by itself', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let isUp = false;
    const { api, received } = await startDidit((res, one) =>
      (isUp ? say(201, created) : say(503, {}))(res, one),
    );
    const create = () => api.createSession(request);
    for (let failures = 0; failures < 5; failures += 1) await expect(create()).rejects.toThrow();
    expect(received).toHaveLength(5);
    isUp = true;
    await expect(create()).rejects.toMatchObject({ failure: 'unavailable' });
    expect(received).toHaveLength(5);
    vi.setSystemTime(Date.now() + 10_001);
    await expect(create()).resolves.toMatchObject({ status: 'Not Started' });
    await create();
    expect(received).toHaveLength(7);
  });

  it('of one operation does not stop another, and refusals do not open it', async () => {
    const { api, received } = await startDidit((res, one) =>
      (one.method === 'POST' ? say(400, { detail: 'No.' }) : say(200, decision))(res, one),
    );
    for (let refusals = 0; refusals < 8; refusals += 1) {
      await expect(api.createSession(request)).rejects.toMatchObject({ failure: 'refused' });
    }
    expect(received).toHaveLength(8);
    await expect(api.readDecision('s')).resolves.toBeDefined();
  });
});

describe('a login', () => {
  it.each([true, false])('tells Didit of device and address as configured: %s', async (told) => {
    const overheard = overhear();
    const { fetch } = overheard;
    const bed = await startTestbed({ fetch, flags: { didit: { sendDeviceHints: told } } });
    onTestFinished(() => bed.close());
    const parameters = { ui_locales: 'pt-BR en' };
    await toSelfie(createBrowser(), await (await createParty(bed)).begin(parameters));
    const { body } = overheard.latest();
    const token = expect.stringMatching(/^[\w-]{43}$/) as string;
    expect(body).toMatchObject({ callback_method: 'completer', language: 'pt-BR' });
    expect(body.callback).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/interaction\/[\w-]+\/didit\/[\w-]{43}$/,
    );
    expect(body.vendor_data).toMatch(/^[\w-]{22}$/);
    expect(Buffer.from(body.portrait_image, 'base64').subarray(1, 4).toString()).toBe('PNG');
    expect(body.metadata).toEqual({
      ...{ purpose: 'returning_user_signin', nonce: token },
      ...(told ? { device_id: token, from_ip: '127.0.0.1' } : {}),
    });
  });
});
