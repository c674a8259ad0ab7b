import { expect, test } from 'vitest';
import { createDiditSessionResponse, diditDecision } from '../../src/didit/wire.ts';
import { defaultWorkflows } from '../../src/simulator/options.ts';
import { liveKey, portrait, sandboxKey, startSimulator, workflowId } from './support.ts';
import type { Json } from './support.ts';

test('a session is created with all ten documented keys', async () => {
  const { create, url } = await startSimulator();
  const created = await create({ vendor_data: 'person-1', language: 'ja', metadata: { n: '1' } });
  expect(Object.keys(created)).toHaveLength(10);
  expect(created).toMatchObject({ status: 'Not Started', vendor_data: 'person-1', callback: null });
  expect(created.session_token).toMatch(/^[\w-]{12}$/);
  expect(created.url).toBe(`${url}/ja/session/${created.session_token}`);
  expect(createDiditSessionResponse.parse(created).metadata).toEqual({ n: '1' });
});

test('an unfinished session is handed out again, its callback and metadata overwritten', async () => {
  const { create, decision, finish } = await startSimulator();
  const person = {
    vendor_data: 'person-1',
    callback: 'https://rp.example/a',
    metadata: { n: '1' },
  };
  const first = await create(person);
  const second = await create({
    ...person,
    callback: 'https://rp.example/b',
    metadata: { n: '2' },
  });
  expect(second.session_id).toBe(first.session_id);
  expect(second.url).toBe(first.url);
  expect(await decision(first.session_id)).toMatchObject({
    callback: 'https://rp.example/b',
    metadata: { n: '2' },
  });
  const others = [
    await create({ ...person, vendor_data: 'person-2' }),
    await create({ ...person, workflow_id: defaultWorkflows[1]!.id }),
    await create(person, sandboxKey),
  ];
  await finish(first.session_id, 'approve');
  others.push(await create(person));
  const ids = new Set([first, ...others].map(({ session_id: id }) => id));
  expect(ids.size).toBe(5);
});

const png = Buffer.from('89504e470d0a1a0a', 'hex');
const large = Buffer.concat([png, Buffer.alloc(2 * 1024 * 1024)]).toString('base64');

test.each<[string, Json, Json]>([
  ['without a workflow', { workflow_id: undefined }, { workflow_id: ['This field is required.'] }],
  ['for an unknown workflow', { workflow_id: 'x' }, { workflow_id: 'Invalid workflow_id.' }],
  ['in an unknown language', { language: 'tlh' }, { language: ['"tlh" is not a valid choice.'] }],
  ['with a bad callback', { callback: 'nowhere' }, { callback: ['Enter a valid URL.'] }],
  [
    'with too large a portrait',
    { portrait_image: large },
    { portrait_image: ['Image size exceeds 2MB.'] },
  ],
  [
    'with metadata that no webhook could carry',
    { metadata: JSON.parse('['.repeat(31) + ']'.repeat(31)) as unknown },
    { metadata: ['Too large or too deeply nested.'] },
  ],
  ['with no base64', { portrait_image: '?' }, { portrait_image: ['Invalid base64.'] }],
  [
    'with a portrait that is no image',
    { portrait_image: 'aGVsbG8=' },
    { portrait_image: [expect.stringContaining('valid image') as string] },
  ],
  [
    'without a reference face',
    { portrait_image: undefined, vendor_data: 'new' },
    { portrait_image: expect.stringContaining('No stored face') as string },
  ],
  [
    'with neither face nor person',
    { portrait_image: undefined },
    { portrait_image: expect.stringContaining('required') as string },
  ],
  [
    'with a scenario in the live environment',
    { sandbox_scenario: 'approve' },
    { sandbox_scenario: [expect.any(String) as string] },
  ],
])('a session %s is refused as documented', async (_, fields, errors) => {
  const { call } = await startSimulator();
  const request = { workflow_id: workflowId, portrait_image: portrait, ...fields };
  const { status, json } = await call('POST', '/v3/session/', request);
  expect(status).toBe(400);
  expect(json).toEqual(errors);
});

test('workflow_type is ignored, or refused by name when asked to', async () => {
  const lenient = await startSimulator();
  const fields = { workflow_type: 'biometric_authentication' };
  expect(await lenient.create(fields)).toMatchObject({ status: 'Not Started' });
  const strict = await startSimulator({ rejectsWorkflowType: true });
  const request = { workflow_id: workflowId, portrait_image: portrait, ...fields };
  const { status, json } = await strict.call('POST', '/v3/session/', request);
  expect([status, Object.keys(json)]).toEqual([400, ['workflow_type']]);
});

test('a face from an approved session serves when no portrait is sent', async () => {
  const { create, finish, decision } = await startSimulator();
  const enrolment = { workflow_id: defaultWorkflows[2]!.id, portrait_image: undefined };
  const first = await create({ ...enrolment, vendor_data: 'person-1' });
  await finish(first.session_id, 'approve');
  const login = await create({ vendor_data: 'person-1', portrait_image: undefined });
  await finish(login.session_id, 'approve');
  const { face_matches: matches } = diditDecision.parse(await decision(login.session_id));
  expect(matches).toMatchObject([{ status: 'Approved', source_image_session_id: null }]);
});

test.each([
  ['approve', 'Approved', ['Approved', 96], ['Approved', 96.41]],
  ['decline', 'Declined', ['Approved', 96], ['Declined', 31.27]],
  ['spoof', 'Declined', ['Declined', 4.2], ['Approved', 96.41]],
  ['review', 'In Review', ['Approved', 96], ['In Review', 57.3]],
  ['low-score', 'Approved', ['Approved', 96], ['Approved', 61.5]],
  ['no-match', 'Approved', ['Approved', 96], undefined],
  ['abandon', 'Abandoned', ['Not Finished', null], undefined],
  ['expire', 'Expired', ['Not Finished', null], undefined],
])('the outcome %s is the decision %s', async (outcome, status, liveness, faceMatch) => {
  const { create, finish, decision } = await startSimulator();
  const { session_id: id } = await create({ vendor_data: 'person-1', metadata: { n: '1' } });
  expect((await finish(id, outcome)).json).toEqual({ session_id: id, status });
  const raw = await decision(id);
  const parsed = diditDecision.parse(raw);
  const scores = (items: { status: string; score?: unknown }[]) =>
    items.map((item) => [item.status, item.score])[0];
  expect(parsed).toMatchObject({ status, environment: 'live', metadata: { n: '1' }, reviews: [] });
  expect(scores(parsed.liveness_checks)).toEqual(liveness);
  expect(scores(parsed.face_matches)).toEqual(faceMatch);
  expect(raw.face_matches === null).toBe(faceMatch === undefined);
});

test('an untouched session has no results and an approved one says which browser finished it', async () => {
  const { create, call, decision } = await startSimulator();
  const created = await create({ expected_details: { ip_address: '192.0.2.1' } });
  const { session_id: id } = created;
  expect(await decision(id)).toMatchObject({ liveness_checks: null, ip_analyses: null });
  const userAgent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Firefox/140.0';
  const sighting = { outcome: 'approve', ipAddress: '198.51.100.7', userAgent };
  await call('POST', `/control/sessions/${id}/outcome`, sighting);
  const { ip_analyses: places, face_matches: matches } = diditDecision.parse(await decision(id));
  expect(places).toMatchObject([
    {
      ip_address: '198.51.100.7',
      browser_family: 'Firefox',
      os_family: 'Windows',
      platform: 'desktop',
      warnings: [{ risk: 'EXPECTED_IP_ADDRESS_MISMATCH', log_type: 'warning' }],
    },
  ]);
  expect(matches).toMatchObject([{ source_image_session_id: id }]);
});

test('an approval by an operator shows in the reviews', async () => {
  const { create, finish, call, decision, receiver } = await startSimulator();
  const { session_id: id } = await create();
  const approve = () =>
    call('PATCH', `/v3/session/${id}/update-status/`, { new_status: 'Approved', comment: 'seen' });
  expect((await approve()).status).toBe(400);
  await finish(id, 'review');
  expect((await approve()).json).toEqual({ session_id: id });
  const review = { user: 'API Client', new_status: 'Approved', comment: 'seen' };
  expect(await decision(id)).toMatchObject({ status: 'Approved', reviews: [review] });
  expect((await receiver.wait('Approved')).body.decision).toMatchObject({ reviews: [review] });
});

test('a note is kept without changing the status', async () => {
  const { create, finish, call, decision } = await startSimulator();
  const { session_id: id } = await create();
  await finish(id, 'decline');
  const note = { new_status: 'Approved', comment: 'only a note' };
  expect((await call('POST', `/v3/sessions/${id}/reviews/`, note)).status).toBe(201);
  expect((await call('GET', `/v3/sessions/${id}/reviews/`)).text).toContain('only a note');
  expect(await decision(id)).toMatchObject({ status: 'Declined', reviews: [note] });
});

test('a deleted session is gone, for the API and for the browser', async () => {
  const { create, call } = await startSimulator();
  const { session_id: id, url } = await create();
  expect((await call('DELETE', `/v3/session/${id}/delete/`)).status).toBe(200);
  expect((await call('DELETE', `/v3/session/${id}/delete/`)).status).toBe(404);
  expect((await fetch(url)).status).toBe(404);
});

test('a report exists once there is a result, and is a PDF', async () => {
  const { create, finish, call } = await startSimulator();
  const { session_id: id } = await create();
  const report = () => call('GET', `/v3/session/${id}/generate-pdf/`);
  expect((await report()).status).toBe(403);
  await finish(id, 'approve');
  const { text } = await report();
  expect(text).toMatch(/^%PDF-1\.4[^]*%%EOF\n$/);
  const startOfTable = Number(/startxref\n(\d+)/.exec(text)?.[1]);
  expect(text.slice(startOfTable)).toMatch(/^xref/);
});

test('sessions are listed newest first, by person and page by page', async () => {
  const { create, call } = await startSimulator();
  const ids = [];
  for (const person of ['a', 'b', 'c'])
    ids.push((await create({ vendor_data: person })).session_id);
  const { json } = await call('GET', '/v3/sessions/?limit=2');
  expect(json).toMatchObject({ count: 3, previous: null });
  expect((json.results as Json[]).map((one) => one.session_id)).toEqual([ids[2], ids[1]]);
  const rest = await fetch(json.next as string, { headers: { 'x-api-key': liveKey } });
  expect(await rest.json()).toMatchObject({ next: null, results: [{ session_id: ids[0] }] });
  const ofB = await call('GET', '/v3/sessions/?vendor_data=b');
  expect(ofB.json).toMatchObject({ count: 1, results: [{ session_id: ids[1] }] });
});

test('a sandbox scenario decides, whichever button ends the check', async () => {
  const { create, call, finish, decision } = await startSimulator();
  const arm = (id: string, scenario: string) =>
    call('POST', `/v3/session/${id}/sandbox/arm/`, { scenario }, sandboxKey);
  const { session_id: id } = await create({}, sandboxKey);
  expect((await arm(id, 'unheard_of')).status).toBe(400);
  expect((await arm(id, 'decline_liveness_attack')).status).toBe(200);
  expect((await finish(id, 'approve')).json.status).toBe('Declined');
  expect(await decision(id, sandboxKey)).toMatchObject({
    environment: 'sandbox',
    liveness_checks: [{ warnings: [{ risk: 'LIVENESS_FACE_ATTACK', log_type: 'error' }] }],
  });
  expect((await arm(id, 'approve')).status).toBe(400);
  const borderline = await create({ sandbox_scenario: 'review_face_match_borderline' }, sandboxKey);
  expect((await finish(borderline.session_id, 'approve')).json.status).toBe('In Review');
  const catalogue = await call('GET', '/v1/sandbox/scenarios/', undefined, sandboxKey);
  expect(catalogue.json.results).toHaveLength(16);
});

test('a session ends with its time: Expired when never opened, Abandoned when left', async () => {
  const { create, call, decision, url, receiver } = await startSimulator();
  const unopened = await create();
  const left = await create();
  await fetch(`${url}/session/${left.session_token}`);
  await call('POST', '/control/clock', { advanceSeconds: 3601 });
  expect(await decision(unopened.session_id)).toMatchObject({ status: 'Expired' });
  expect(await decision(left.session_id)).toMatchObject({ status: 'Abandoned' });
  expect((await receiver.wait('Abandoned')).body.session_id).toBe(left.session_id);
});
