import { expect, test } from 'vitest';
import { diditWebhookEvent } from '../../src/didit/wire.ts';
import { startSimulator, webhookSecret } from './support.ts';
import type { Json } from './support.ts';

test('every change is announced with three signatures that verify', async () => {
  const { create, finish, receiver } = await startSimulator();
  const metadata = { nonce: 'n', name: 'かな', '10': 1, '9': 2 };
  const { session_id: id } = await create({ vendor_data: 'person-1', metadata });
  await finish(id, 'approve');
  const approved = await receiver.wait('Approved');
  await receiver.wait('In Progress');
  await receiver.wait('Not Started');
  for (const { verification, headers } of receiver.received) {
    expect(verification).toMatchObject({ ok: true, matched: 'raw', mismatched: [] });
    expect(headers['x-signature-simple']).toMatch(/^[0-9a-f]{64}$/);
    expect(headers['x-signature-v2']).not.toBe(headers['x-signature']);
  }
  expect(diditWebhookEvent.parse(approved.body)).toMatchObject({
    webhook_type: 'status.updated',
    session_id: id,
    environment: 'live',
    vendor_data: 'person-1',
    metadata,
  });
  expect(approved.body.decision).toMatchObject({ face_matches: [{ score: 96.41 }] });
  expect(receiver.received.filter(({ body }) => 'decision' in body)).toHaveLength(1);
});

test.each([500, 404])('a delivery answered with %i is repeated, signed anew', async (answer) => {
  const { create, receiver, call } = await startSimulator();
  receiver.answers.push(answer, answer);
  await create();
  const third = await receiver.wait('Not Started', 3);
  expect(third.verification.ok).toBe(true);
  expect(new Set(receiver.received.map(({ body }) => body.event_id)).size).toBe(1);
  const log = async () => (await call('GET', '/control/log')).json.webhooks as Json[];
  await expect
    .poll(async () => (await log()).map(({ attempt, responseStatus }) => [attempt, responseStatus]))
    .toEqual([
      [1, answer],
      [2, answer],
      [3, 200],
    ]);
});

test.each([301, 400])('a delivery answered with %i is not repeated', async (answer) => {
  const { create, receiver } = await startSimulator();
  receiver.answers.push(answer);
  const { session_id: id } = await create();
  await receiver.wait('Not Started');
  await create({ vendor_data: 'later' });
  await receiver.wait('Not Started', 2);
  expect(receiver.received.filter(({ body }) => body.session_id === id)).toHaveLength(1);
});

test('a receiver that is not there costs three attempts and nothing else', async () => {
  const { create, call } = await startSimulator({ webhookUrl: 'http://127.0.0.1:1/' });
  await create();
  const log = async () => (await call('GET', '/control/log')).json.webhooks as Json[];
  await expect.poll(async () => (await log()).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
});

const approvedOnly = (mode: string) => ({ webhooks: { mode, statuses: ['Approved'], times: 1 } });

test('a dropped webhook never comes, and the log says so', async () => {
  const { create, finish, faults, receiver, call } = await startSimulator();
  await faults(approvedOnly('drop'));
  const { session_id: id } = await create();
  await finish(id, 'approve');
  await receiver.wait('In Progress');
  const { webhooks } = (await call('GET', '/control/log')).json as { webhooks: Json[] };
  expect(webhooks).toContainEqual(expect.objectContaining({ status: 'Approved', fault: 'drop' }));
  expect(receiver.statuses()).not.toContain('Approved');
});

test('a duplicated webhook comes twice with one event id', async () => {
  const { create, finish, faults, receiver } = await startSimulator();
  await faults(approvedOnly('duplicate'));
  await finish((await create()).session_id, 'approve');
  const second = await receiver.wait('Approved', 2);
  const first = await receiver.wait('Approved');
  expect(second.body.event_id).toBe(first.body.event_id);
});

test('a reordered webhook comes after the one that follows it', async () => {
  const { create, finish, faults, receiver } = await startSimulator();
  const { session_id: id } = await create();
  await receiver.wait('Not Started');
  await faults({ webhooks: { mode: 'reorder', statuses: ['In Progress'] } });
  await finish(id, 'approve');
  await receiver.wait('In Progress');
  expect(receiver.statuses()).toEqual(['Not Started', 'Approved', 'In Progress']);
});

test.each([
  ['forge', 'signature_mismatch'],
  ['stale', 'timestamp_stale'],
])('the fault %s sends what must be refused with %s', async (mode, reason) => {
  const { create, finish, faults, receiver } = await startSimulator();
  await faults(approvedOnly(mode));
  await finish((await create()).session_id, 'approve');
  expect((await receiver.wait('Approved')).verification).toEqual({ ok: false, reason });
});

test('withheld webhooks wait for their release', async () => {
  const { create, finish, faults, receiver, call } = await startSimulator();
  await faults({ webhooks: 'withhold' });
  await finish((await create()).session_id, 'approve');
  expect(receiver.received).toEqual([]);
  expect((await call('POST', '/control/webhooks/release')).json).toEqual({ released: 3 });
  expect((await receiver.wait('Approved')).verification.ok).toBe(true);
});

test("destinations are managed with Didit's own calls and keep a log of deliveries", async () => {
  const { create, call, receiver } = await startSimulator({ webhookUrl: 'http://127.0.0.1:1/' });
  const root = '/v3/webhook/destinations/';
  const request = { label: 'mine', url: receiver.url, subscribed_events: ['status.updated'] };
  const made = await call('POST', root, request);
  expect(made.status).toBe(201);
  expect(made.json.secret_shared_key).toMatch(/^[\w-]{43}$/);
  const again = await call('POST', root, request);
  expect([again.status, Object.keys(again.json)]).toEqual([400, ['url']]);
  const empty = await call('POST', root, { ...request, url: 'http://b', subscribed_events: [] });
  expect(empty.status).toBe(400);
  await create();
  await receiver.wait('Not Started');
  const path = `${root}${String(made.json.uuid)}/`;
  const deliveries = async () => (await call('GET', `${path}deliveries/`)).json.results as Json[];
  await expect.poll(async () => (await deliveries()).length).toBe(1);
  const [delivery] = await deliveries();
  expect(JSON.parse(delivery!.request_body as string)).toEqual(receiver.received[0]!.body);
  const changed = await call('PATCH', path, { enabled: false });
  expect(changed.json).toMatchObject({ enabled: false, label: 'mine' });
  expect((await call('DELETE', path)).status).toBe(204);
  expect((await call('GET', path)).status).toBe(404);
});

test('a destination without events receives nothing', async () => {
  const { create, call, receiver, simulator } = await startSimulator({
    webhookUrl: 'http://127.0.0.1:1/',
  });
  const url = `${receiver.url}/silent`;
  await call('POST', '/v3/webhook/destinations/', { label: 'silent', url });
  simulator.sendWebhooksTo(receiver.url);
  await create();
  const { verification } = await receiver.wait('Not Started');
  expect(verification.ok, `signed with ${webhookSecret}`).toBe(true);
  expect(receiver.received).toHaveLength(1);
});
