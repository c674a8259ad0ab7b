/** From a session at Didit to a portrait that can be sent with a login, and back to nothing: against the simulator. */
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDidit } from '../../src/app-didit.ts';
import { type Flags, resolveConfig } from '../../src/config/load.ts';
import type { CreateRequest } from '../../src/didit/port.ts';
import {
  type EnrolmentExpectation,
  enrolmentLivenessMethods,
  judgeEnrolment,
  judgeShared,
} from '../../src/domain/enrolment.ts';
import { identityHashes, isSamePerson } from '../../src/enrol/identity.ts';
import { preparePortrait } from '../../src/enrol/portrait.ts';
import { defaultWorkflows } from '../../src/simulator/options.ts';
import { createLog } from '../../src/web/telemetry.ts';
import { hash } from '../didit/server.ts';
import { liveKey, newBrowser, startSimulator } from '../simulator/support.ts';

const [login, , kyc] = defaultWorkflows.map(({ id }) => id) as [string, string, string];
const clock = Date.now;

/** Didit's side as the provider has it, and a Didit. */
async function begin(flags: Flags['didit'] = {}, workflows = defaultWorkflows) {
  const simulator = await startSimulator({ workflows });
  const resolved = resolveConfig({
    env: {},
    readFile: () => '',
    flags: {
      ...{
        mode: 'development',
        issuer: 'http://127.0.0.1:3000',
        store: { url: 'sqlite::memory:' },
      },
      didit: {
        ...{ apiKey: liveKey.padEnd(16, '-'), apiBaseUrl: simulator.url, environment: 'live' },
        ...{ hostedOrigins: [simulator.url], webhookSecrets: ['a-secret-that-signs-webhooks'] },
        workflows: { passive: login, kyc },
        ...flags,
      },
    },
  });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  const config = { ...resolved.config.didit, apiKey: liveKey };
  const side = openDidit(config, createLog('silent'), {
    clock,
    fetch,
    hash,
    alarm: () => undefined,
  });
  onTestFinished(async () => {
    await side.close();
  });

  /** As far as Didit's page. */
  async function enrol(vendorData: string) {
    const nonce = `nonce of ${vendorData}`;
    const request: CreateRequest = {
      ...{ workflowId: kyc, workflowType: undefined, vendorData, portraitImage: undefined },
      ...{ callback: 'https://login.example/back', metadata: { nonce }, uiLocales: 'ja' },
    };
    const startedAtMs = clock();
    const { diditSessionId, workflowVersion, url } = await side.api.createSession(request);
    const expected: EnrolmentExpectation = {
      ...{ diditSessionId, workflowVersion, vendorData, workflowId: kyc, environment: 'live' },
      ...{ nonceHash: hash(nonce), startedAtMs, expiresAtMs: startedAtMs + 900_000 },
      livenessMethods: enrolmentLivenessMethods(config.allowFlashing),
      minimumLivenessScore: config.minimumLivenessScore,
      minimumFaceMatchScore: config.minimumDocumentMatchScore,
    };
    const verdict = async () => {
      const enrolment = await side.api.readEnrolment(diditSessionId);
      return { ...enrolment, ...judgeEnrolment(enrolment.decision, expected, clock()) };
    };
    return { diditSessionId, url, expected, verdict };
  }
  return { ...simulator, api: side.api, config, enrol };
}

describe('an enrolment at Didit', () => {
  test('[EN-06] [EN-05] ends in a portrait of ours when everything is right', async () => {
    const { api, enrol } = await begin();
    const { url, verdict } = await enrol('enrolment-1');
    expect(url).toContain('/ja/session/');
    expect(await verdict()).toMatchObject({ outcome: 'pending', facts: {} });
    const visit = newBrowser();
    await visit(url);
    const person = { first_name: 'Ana', last_name: 'Núñez', date_of_birth: '1984-02-29' };
    const back = await visit(url, 'approve', person);
    expect(back.location).toMatch(/^https:\/\/login\.example\/back/);
    const { outcome, facts, portraitUrl, seen } = await verdict();
    expect(outcome).toBe('approved');
    expect(facts).toEqual({
      ...{ givenName: 'Ana', familyName: 'Núñez', birthdate: '1984-02-29' },
      documentKey: 'UTO:Identity Card:X1234567',
    });
    expect(seen).toMatchObject([{ browser: 'Chrome', system: 'Linux' }]);
    const portrait = await preparePortrait(await api.fetchPortrait(portraitUrl ?? ''));
    expect(await sharp(portrait).metadata()).toMatchObject({ format: 'jpeg', width: 240 });
  });

  test.each([
    ['decline', 'declined', 'declined'],
    ['spoof', 'declined', 'declined'],
    ['decline-document', 'declined', 'declined'],
    ['expired-document', 'declined', 'declined'],
    ['review', 'in_review', 'in_review'],
    ['review-document', 'in_review', 'in_review'],
    ['low-score', 'declined', 'face_match_score_low'],
    ['no-match', 'declined', 'not_one_face_match'],
    ['abandon', 'not_finished', 'not_finished'],
    ['expire', 'not_finished', 'not_finished'],
  ])('[EN-06] with %s is %s (%s)', async (button, outcome, reason) => {
    const { enrol } = await begin();
    const { url, verdict } = await enrol('enrolment-1');
    await newBrowser()(url, button);
    expect(await verdict()).toMatchObject({ outcome, reason });
  });

  test.each(['review', 'decline-document'])(
    '[EN-06] that an operator approved after %s is for people to look at',
    async (button) => {
      const { enrol, call } = await begin();
      const { url, diditSessionId, verdict } = await enrol('enrolment-1');
      await newBrowser()(url, button);
      const approval = { new_status: 'Approved', comment: 'looks fine' };
      await call('PATCH', `/v3/session/${diditSessionId}/update-status/`, approval);
      expect((await verdict()).decision.status).toBe('Approved');
      expect(await verdict()).toMatchObject({ outcome: 'in_review', reason: 'changed_by_hand' });
    },
  );

  test('[EN-04] is not answered by an approval of the same name elsewhere', async () => {
    const { api, enrol, create, finish } = await begin();
    const { verdict, expected } = await enrol('enrolment-1');
    const other = await create({ vendor_data: 'enrolment-1', metadata: { nonce: 'guessed' } });
    await finish(other.session_id, 'approve');
    expect(await verdict()).toMatchObject({ outcome: 'pending' });
    const { decision } = await api.readEnrolment(other.session_id);
    const judged = judgeEnrolment(decision, expected, clock());
    expect(judged).toEqual({ outcome: 'declined', reason: 'other_session' });
    const same = { ...decision, diditSessionId: expected.diditSessionId };
    expect(judgeEnrolment(same, expected, clock()).reason).toBe('other_workflow');
  });

  test('[AX-05] by flashes of light is refused, unless it was allowed', async () => {
    const flashing = defaultWorkflows.map((one) => ({
      ...one,
      livenessMethod: 'FLASHING' as const,
    }));
    for (const [allowFlashing, outcome] of [
      [false, 'declined'],
      [true, 'approved'],
    ] as const) {
      const { enrol } = await begin({ allowFlashing }, flashing);
      const { url, verdict } = await enrol('enrolment-1');
      await newBrowser()(url, 'approve');
      expect(await verdict()).toMatchObject({ outcome });
    }
  });

  test('[EN-03] of the same person is known again, though nothing of them is kept', async () => {
    const { enrol, finish } = await begin();
    const identityOf = async (vendorData: string, person: object) => {
      const { diditSessionId, verdict } = await enrol(vendorData);
      await finish(diditSessionId, 'approve', { ...person });
      return identityHashes((await verdict()).facts, 'the-key-of-this-store');
    };
    const ana = await identityOf('first', { firstName: 'José', documentNumber: 'A1' });
    const again = await identityOf('second', { firstName: 'JOSE', documentNumber: 'B2' });
    const other = await identityOf('third', { firstName: 'Ben', documentNumber: 'C3' });
    expect(isSamePerson(ana, again)).toBe(true);
    expect(isSamePerson(ana, other)).toBe(false);
  });
});

describe('[EN-05] the portrait', () => {
  test('cannot be fetched by a link that is an hour old, and can by a new one', async () => {
    const { api, enrol, finish, call } = await begin();
    const { diditSessionId, verdict } = await enrol('enrolment-1');
    await finish(diditSessionId, 'approve');
    const { portraitUrl = '' } = await verdict();
    await call('POST', '/control/clock', { advanceSeconds: 3_601 });
    const ended = { failure: 'unavailable', message: 'the portrait is answered with 403' };
    await expect(api.fetchPortrait(portraitUrl)).rejects.toMatchObject(ended);
    const { portraitUrl: renewed = '' } = await verdict();
    expect((await api.fetchPortrait(renewed)).length).toBeGreaterThan(0);
  });

  test('comes in the clear only from a Didit on this very machine', async () => {
    const { url, api: onThisMachine } = await begin();
    await expect(onThisMachine.fetchPortrait(`${url}/media/x/reference.png`)).rejects.toMatchObject(
      {
        message: 'the portrait is answered with 403',
      },
    );
    const { api } = await begin({
      apiBaseUrl: 'https://verification.didit.me',
      mediaOrigins: [url],
    });
    await expect(api.fetchPortrait(`${url}/media/x/reference.png`)).rejects.toMatchObject({
      ...{ failure: 'refused', message: 'the portrait is not behind https' },
    });
  });

  test('is not sought inside our network, though the operator named the place', async () => {
    const inside = 'https://localhost:8443';
    const { api } = await begin({
      ...{ apiBaseUrl: 'https://verification.didit.me', mediaOrigins: [inside] },
    });
    await expect(api.fetchPortrait(`${inside}/face.jpg`)).rejects.toMatchObject({
      cause: expect.objectContaining({ name: 'AddressRefused' }) as Error,
    });
  });
});

describe('what a partner shared', () => {
  const partner = '0b6f2f0a-5f0d-4a57-8f65-0000000000aa';

  test('[VD-13] becomes a reference and no login, and answers no enrolment that is under way', async () => {
    const { api, enrol, finish, call } = await begin();
    const elsewhere = await enrol('known-to-the-partner');
    await finish(elsewhere.diditSessionId, 'approve', { firstName: 'Ana' });
    const share = { for_application_id: partner };
    const path = `/v3/session/${elsewhere.diditSessionId}/share/`;
    const { share_token: shareToken } = (await call('POST', path, share)).json;
    const here = { shareToken: shareToken as string, workflowId: kyc, vendorData: 'here-1' };
    const { diditSessionId } = await api.importShared(here);
    await expect(api.importShared(here)).rejects.toMatchObject({ failure: 'refused' });

    const { decision, facts, portraitUrl } = await api.readEnrolment(diditSessionId);
    const { expected } = await enrol('here-1');
    const subject = { ...expected, diditSessionId };
    expect(judgeShared(decision, subject)).toEqual({ outcome: 'approved', reason: 'approved' });
    expect(facts).toMatchObject({ givenName: 'Ana' });
    expect((await api.fetchPortrait(portraitUrl ?? '')).length).toBeGreaterThan(0);
    // Even if Didit's answer did not say where it came from, it has nothing of ours in it.
    expect(judgeEnrolment(decision, expected, clock()).outcome).toBe('declined');
    expect(judgeEnrolment(decision, subject, clock())).toMatchObject({ reason: 'other_nonce' });
  });
});

describe('leaving Didit', () => {
  test('[BD-01] takes the stored face along, so that no selfie can be compared with it any more', async () => {
    const { api, enrol, finish, call } = await begin();
    const { diditSessionId } = await enrol('enrolment-1');
    const request: CreateRequest = {
      ...{ workflowId: login, workflowType: 'biometric_authentication', uiLocales: undefined },
      ...{ vendorData: 'enrolment-1', callback: 'https://login.example/', metadata: {} },
      portraitImage: undefined,
    };
    await expect(api.createSession(request)).rejects.toMatchObject({ failure: 'not_enrolled' });
    await finish(diditSessionId, 'approve');
    const { diditSessionId: selfie } = await api.createSession(request);
    await finish(selfie, 'approve');
    const [match] = (await api.readDecision(selfie)).decision.faceMatches;
    expect(match).toMatchObject({ status: 'Approved' });

    for (const id of [diditSessionId, selfie]) {
      expect(await api.deleteSession(id, 'erasure')).toBe('deleted');
      expect(await api.deleteSession(id, 'erasure')).toBe('absent');
    }
    await expect(api.createSession(request)).rejects.toMatchObject({ failure: 'not_enrolled' });
    expect((await call('GET', '/v3/biometric-templates/')).json.count).toBe(0);
  });

  test('also the faces that the console keeps longer, and the person, each as often as it takes', async () => {
    const { api, enrol, finish, call, faults } = await begin();
    const { diditSessionId } = await enrol('enrolment-1');
    await finish(diditSessionId, 'approve');
    const keep = { retain_face_embeddings: true };
    await call('DELETE', `/v3/session/${diditSessionId}/delete/`, keep);
    // Twice a call, so that repeating it at once does not help.
    const misfortunes = ['delete', 'templates', 'users'].map((operation) => ({
      ...{ operation, mode: 503, times: 2 },
    }));
    await faults({ api: misfortunes });
    const calls = [
      () => api.deleteSession(diditSessionId, 'erasure'),
      () => api.deleteTemplates('enrolment-1'),
      () => api.deleteUser('enrolment-1'),
    ];
    for (const erase of calls) {
      await expect(erase()).rejects.toMatchObject({ failure: 'unavailable' });
    }
    const done: string[] = [];
    for (const erase of calls) done.push(await erase());
    expect(done).toEqual(['absent', 'deleted', 'deleted']);
    const [template] = (await call('GET', '/v3/biometric-templates/')).json.results as object[];
    expect(template).toMatchObject({ status: 'purged' });
    expect((await call('GET', '/v3/users/enrolment-1/')).status).toBe(404);
    expect(await api.deleteUser('enrolment-1')).toBe('absent');
  });
});
