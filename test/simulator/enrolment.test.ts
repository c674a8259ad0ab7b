/** The workflow that enrols, from its page to what is left of it at Didit. */
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { diditEnrolment } from '../../src/didit/wire.ts';
import {
  enrolmentWorkflowId,
  liveKey,
  newBrowser,
  sandboxKey,
  startSimulator,
  workflowId,
} from './support.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import type { Json } from './support.ts';

const enrolment = { workflow_id: enrolmentWorkflowId, portrait_image: undefined };

/** A simulator in which somebody begins to enrol. */
async function begin(fields: Json = {}, options: Partial<SimulatorOptions> = {}) {
  const simulator = await startSimulator(options);
  const created = await simulator.create({ ...enrolment, vendor_data: 'person-1', ...fields });
  const read = async (id = created.session_id) =>
    diditEnrolment.parse(await simulator.decision(id));
  return { ...simulator, id: created.session_id, hosted: created.url, read };
}

async function look(url: string) {
  const response = await fetch(url, { redirect: 'manual' });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get('content-type'), bytes };
}

describe('the page', () => {
  test('asks whose document it is, and has a button for each thing that can be wrong with it', async () => {
    const { hosted, read } = await begin();
    const visit = newBrowser();
    const { text } = await visit(hosted);
    expect(text).toContain('Show a document, take a selfie');
    expect(text).not.toMatch(/ style=|<style| on\w+=/);
    const offered = [...text.matchAll(/data-outcome="([\w-]+)"/g)].map(([, name]) => name);
    expect(offered).toEqual([
      ...['approve', 'decline', 'spoof', 'review', 'low-score', 'no-match'],
      ...['decline-document', 'expired-document', 'review-document', 'abandon', 'expire'],
    ]);
    const prefilled = [...text.matchAll(/<input name="(\w+)" type="\w+" value="([^"]*)"/g)];
    expect(prefilled.map(([, name, value]) => [name, value])).toEqual([
      ['first_name', 'Test'],
      ['last_name', 'Person'],
      ['date_of_birth', '1990-01-01'],
      ['document_number', 'X1234567'],
    ]);
    const said = { first_name: 'Ana "<', last_name: 'Núñez', date_of_birth: '1984-02-29' };
    await visit(hosted, 'approve', said);
    const [document] = (await read()).id_verifications;
    expect(document).toMatchObject({ ...said, document_number: 'X1234567', status: 'Approved' });
  });

  test.each([
    ['no name', { first_name: ' ' }],
    ['a day that is none', { date_of_birth: '1990-02-30' }],
    ['a name without end', { last_name: 'x'.repeat(101) }],
  ])('takes no document with %s', async (_, fields) => {
    const { hosted, read } = await begin();
    const visit = newBrowser();
    await visit(hosted);
    expect((await visit(hosted, 'approve', fields)).status).toBe(400);
    expect((await read()).status).toBe('In Progress');
  });

  test('of a login has nothing of a document', async () => {
    const { create, finish } = await startSimulator();
    const { session_id: id, url } = await create();
    const visit = newBrowser();
    expect((await visit(url)).text).not.toMatch(/<input|document/);
    expect((await visit(url, 'expired-document')).status).toBe(400);
    expect((await finish(id, 'review-document')).status).toBe(400);
  });
});

describe('the decision', () => {
  const approved = 'Approved';
  test.each([
    ['approve', approved, [approved, approved, approved], []],
    ['decline', 'Declined', [approved, approved, 'Declined'], []],
    ['spoof', 'Declined', [approved, 'Declined', approved], []],
    ['review', 'In Review', [approved, approved, 'In Review'], []],
    [
      'decline-document',
      'Declined',
      ['Declined', approved, approved],
      ['DOCUMENT_NUMBER_FORMAT_MISMATCH'],
    ],
    ['expired-document', 'Declined', ['Declined', approved, approved], ['DOCUMENT_EXPIRED']],
    ['review-document', 'In Review', ['In Review', approved, approved], ['DATA_INCONSISTENT']],
    ['no-match', approved, [approved, approved, undefined], []],
    ['abandon', 'Abandoned', ['Not Finished', 'Not Finished', undefined], []],
  ])('of %s is %s', async (outcome, status, parts, risks) => {
    const { id, finish, read } = await begin();
    await finish(id, outcome);
    const decision = await read();
    const { id_verifications, liveness_checks, face_matches } = decision;
    const lists = [id_verifications, liveness_checks, face_matches];
    expect(decision.status).toBe(status);
    expect(lists.map(([part]) => part?.status)).toEqual(parts);
    const raised = id_verifications.flatMap(({ warnings }) => warnings.map(({ risk }) => risk));
    expect(raised).toEqual(risks);
    // Didit names no session for the picture on the document of the same one.
    for (const match of face_matches) expect(match.source_image_session_id).toBeNull();
  });

  test('says what the control call said of the person, and refuses what it does not know', async () => {
    const { id, finish, read } = await begin();
    expect((await finish(id, 'approve', { firstname: 'Ana' })).status).toBe(400);
    const person = {
      firstName: 'Ana',
      lastName: 'Núñez',
      documentNumber: 'Y7',
      issuingState: 'ESP',
    };
    expect((await finish(id, 'approve', person)).status).toBe(200);
    const [document] = (await read()).id_verifications;
    expect(document).toMatchObject({
      ...{ first_name: 'Ana', last_name: 'Núñez', date_of_birth: '1990-01-01' },
      ...{ document_number: 'Y7', issuing_state: 'ESP', document_type: 'Identity Card' },
    });
  });

  test('reaches the webhook, with accents and all', async () => {
    const { id, finish, receiver } = await begin();
    await finish(id, 'approve', { firstName: 'José' });
    const { body, verification } = await receiver.wait('Approved');
    expect(verification).toMatchObject({ ok: true });
    expect(diditEnrolment.parse(body.decision).id_verifications).toMatchObject([
      { first_name: 'José' },
    ]);
  });
});

describe('the portrait', () => {
  async function approvedLinks(person?: Json) {
    const simulator = await begin();
    await simulator.finish(simulator.id, 'approve', person);
    const { liveness_checks, id_verifications } = await simulator.read();
    const selfie = liveness_checks[0]?.reference_image ?? '';
    const document = id_verifications[0]?.portrait_image ?? '';
    return { ...simulator, selfie, document };
  }

  test('is a picture that anybody with the link may see, the one on the document smaller', async () => {
    const { selfie, document, url } = await approvedLinks();
    expect(new URL(selfie).origin).toBe(url);
    const [large, small] = [await look(selfie), await look(document)];
    expect([large.status, large.type, small.status]).toEqual([200, 'image/png', 200]);
    const widths = [large, small].map(async ({ bytes }) => (await sharp(bytes).metadata()).width);
    expect(await Promise.all(widths)).toEqual([240, 48]);
  });

  test('is the same for the same person, and another for another', async () => {
    const of = async (person?: Json) => (await look((await approvedLinks(person)).selfie)).bytes;
    const test = await of();
    expect(await of({ documentNumber: 'renewed' })).toEqual(test);
    expect(await of({ firstName: 'Ana' })).not.toEqual(test);
  });

  test('ends after an hour, when a new reading has a new link', async () => {
    const { selfie, call, read } = await approvedLinks();
    await call('POST', '/control/clock', { advanceSeconds: 3_590 });
    expect((await look(selfie)).status).toBe(200);
    await call('POST', '/control/clock', { advanceSeconds: 20 });
    const late = await look(selfie);
    expect([late.status, late.bytes.toString()]).toEqual([
      403,
      expect.stringContaining('AccessDenied'),
    ]);
    const [again] = (await read()).liveness_checks;
    expect((await look(again?.reference_image ?? '')).status).toBe(200);
  });

  test('is behind its own link only', async () => {
    const { selfie, document } = await approvedLinks();
    const changed = (change: (link: URL) => void): string => {
      const link = new URL(selfie);
      change(link);
      return link.href;
    };
    const forged = [
      changed((link) => (link.search = '')),
      changed((link) => link.searchParams.set('expires', '9999999999')),
      changed((link) => link.searchParams.set('signature', 'x')),
      changed((link) => (link.pathname = new URL(document).pathname)),
    ];
    for (const link of forged) expect((await look(link)).status).toBe(403);
  });

  test('is gone with its session', async () => {
    const { id, selfie, call } = await approvedLinks();
    await call('DELETE', `/v3/session/${id}/delete/`);
    expect((await look(selfie)).status).toBe(404);
  });

  test('is not there when the check did not come so far, or found no living face', async () => {
    for (const outcome of ['abandon', 'spoof']) {
      const { id, finish, read } = await begin();
      await finish(id, outcome);
      expect((await read()).liveness_checks[0]?.reference_image).toBeNull();
    }
  });

  test('lies where it was said that pictures lie: behind TLS nobody follows a link in the clear', async () => {
    const { id, finish, read } = await begin({}, { mediaOrigin: 'https://didit.example.com' });
    await finish(id, 'approve');
    const link = (await read()).liveness_checks[0]?.reference_image ?? '';
    expect(new URL(link).origin).toBe('https://didit.example.com');
  });

  test('meets misfortune on demand', async () => {
    const { selfie, faults } = await approvedLinks();
    await faults({
      api: [503, 'truncate', 'redirect'].map((mode) => ({ operation: 'media', mode })),
    });
    expect((await look(selfie)).status).toBe(503);
    await expect(look(selfie)).rejects.toThrow();
    expect((await look(selfie)).status).toBe(302);
    expect((await look(selfie)).status).toBe(200);
  });
});

describe('the face that Didit stored', () => {
  test('serves for logins until the enrolment is deleted', async () => {
    const { id, finish, call, create } = await begin();
    const login = { workflow_id: workflowId, vendor_data: 'person-1' };
    expect((await call('POST', '/v3/session/', login)).status).toBe(400);
    await finish(id, 'approve');
    const { session_id: loginId } = await create({ ...login, portrait_image: undefined });
    await call('DELETE', `/v3/session/${loginId}/delete/`);
    await call('DELETE', `/v3/session/${id}/delete/`);
    const { status, json } = await call('POST', '/v3/session/', login);
    expect([status, json.portrait_image]).toEqual([400, expect.stringContaining('No stored face')]);
  });
});

describe('faces that outlive their session', () => {
  const root = '/v3/biometric-templates/';

  async function retained() {
    const simulator = await startSimulator();
    const keep = async (vendorData: string | undefined, retain: boolean | undefined) => {
      const { session_id: id } = await simulator.create({ ...enrolment, vendor_data: vendorData });
      await simulator.finish(id, 'approve');
      const body = { retain_face_embeddings: retain };
      return (await simulator.call('DELETE', `/v3/session/${id}/delete/`, body)).json;
    };
    return { ...simulator, keep };
  }

  test('are kept where it was asked for, and told with the deletion', async () => {
    const { keep, call } = await retained();
    expect(await keep('person-1', undefined)).toMatchObject({
      ...{ face_retention_outcome: 'deleted', biometric_template_uuid: null },
    });
    expect(await keep('person-1', false)).toMatchObject({ face_retention_outcome: 'deleted' });
    expect(await keep(undefined, true)).toMatchObject({
      face_retention_outcome: 'ineligible_no_vendor_user',
    });
    expect((await call('GET', root)).json.count).toBe(0);
    const kept = await keep('person-1', true);
    expect(kept).toMatchObject({ face_retention_outcome: 'retained_with_user' });
    expect((await call('GET', root)).json.results).toMatchObject([
      { uuid: kept.biometric_template_uuid, vendor_data: 'person-1', status: 'active' },
    ]);
  });

  test('are found by any part of the name, and purged one by one, as often as one likes', async () => {
    const { keep, call } = await retained();
    await keep('person-1', true);
    await keep('PERSON-10', true);
    await keep('somebody', true);
    const found = (await call('GET', `${root}?vendor_data=person-1`)).json.results as Json[];
    expect(found.map((one) => one.vendor_data)).toEqual(['person-1', 'PERSON-10']);
    const path = `${root}${String(found[0]?.uuid)}/`;
    expect((await call('DELETE', path)).json).toMatchObject({ outcome: 'purged' });
    expect((await call('DELETE', path)).json).toMatchObject({ outcome: 'already_purged' });
    expect((await call('GET', path)).json).toMatchObject({ status: 'purged' });
    expect((await call('DELETE', `${root}unknown/`)).status).toBe(404);
    const uuids = found.map(({ uuid }) => uuid);
    const both = await call('POST', `${root}delete/`, { template_uuids: uuids });
    expect((both.json.results as Json[]).map(({ outcome }) => outcome)).toEqual([
      ...['already_purged', 'purged'],
    ]);
    const rest = await call('POST', `${root}delete/`, { delete_all: true, vendor_data: 'some' });
    expect(rest.json.results).toMatchObject([{ outcome: 'purged' }]);
  });
});

describe('a session that was shared', () => {
  const ownApplication = '0b6f2f0a-5f0d-4a57-8f65-0000000000aa';

  async function shared(fields: Json = {}) {
    const simulator = await begin({ metadata: { nonce: 'n' }, callback: 'https://rp.example/' });
    await simulator.finish(simulator.id, 'approve', { firstName: 'Ana' });
    const share = { for_application_id: ownApplication, ...fields };
    const { json } = await simulator.call('POST', `/v3/session/${simulator.id}/share/`, share);
    const redeem = (body: Json = {}, key = liveKey) =>
      simulator.call(
        'POST',
        '/v3/session/import-shared/',
        { share_token: json.share_token, workflow_id: enrolmentWorkflowId, ...body },
        key,
      );
    return { ...simulator, redeem };
  }

  test('comes over under the name of its receiver, and keeps its status if that is trusted', async () => {
    const { id, redeem, read, receiver } = await shared();
    const { status, json } = await redeem({ trust_review: true, vendor_data: 'here-1' });
    expect([status, json.shared_from_session]).toEqual([201, id]);
    expect(json.session_id).not.toBe(id);
    const decision = await read(json.session_id as string);
    expect(decision).toMatchObject({
      ...{ status: 'Approved', vendor_data: 'here-1', metadata: null, callback: null },
      ...{ workflow_id: enrolmentWorkflowId, id_verifications: [{ first_name: 'Ana' }] },
    });
    const picture = await look(decision.liveness_checks[0]?.reference_image ?? '');
    expect(picture.status).toBe(200);
    expect((await receiver.wait('Approved', 2)).body.session_id).toBe(json.session_id);
  });

  test('is In Review otherwise', async () => {
    const { redeem } = await shared();
    expect((await redeem()).json).toMatchObject({ status: 'In Review', vendor_data: 'person-1' });
  });

  test('comes over once', async () => {
    const { redeem } = await shared();
    expect((await redeem()).status).toBe(201);
    expect((await redeem()).status).toBe(403);
  });

  test.each<[string, Json, Json, string]>([
    ['for somebody else', { for_application_id: 'another' }, {}, liveKey],
    ['to another environment', {}, {}, sandboxKey],
    ['under an unknown workflow', {}, { workflow_id: 'unknown' }, liveKey],
    ['with a token of one’s own making', {}, { share_token: 'e30.e30.e30' }, liveKey],
    ['without a token', {}, { share_token: undefined }, liveKey],
  ])('does not come over %s', async (_, share, request, key) => {
    const { redeem } = await shared(share);
    expect((await redeem(request, key)).status).toBe(400);
  });

  test('does not come over late, or before it is finished', async () => {
    const { redeem, call, create } = await shared({ ttl_in_seconds: 60 });
    await call('POST', '/control/clock', { advanceSeconds: 61 });
    expect((await redeem()).status).toBe(400);
    const { session_id: open } = await create(enrolment);
    const share = { for_application_id: ownApplication };
    expect((await call('POST', `/v3/session/${open}/share/`, share)).status).toBe(400);
  });
});

test.each([
  ['users', 'POST', '/v3/users/delete/'],
  ['templates', 'GET', '/v3/biometric-templates/'],
  ['import_shared', 'POST', '/v3/session/import-shared/'],
  ['share', 'POST', '/v3/session/unknown/share/'],
])('the calls about %s fail on demand', async (operation, method, path) => {
  const { call, faults } = await startSimulator();
  await faults({ api: { operation, mode: 503 } });
  const body = method === 'POST' ? {} : undefined;
  expect((await call(method, path, body)).status).toBe(503);
  expect((await call(method, path, body)).status).not.toBe(503);
});
