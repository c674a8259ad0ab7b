import { expect, test } from 'vitest';
import { portrait, sandboxKey, startSimulator, workflowId } from './support.ts';
import type { Json } from './support.ts';

test.each(['', 'wrong-key'])('the key %j is refused with 403', async (key) => {
  const { call } = await startSimulator();
  for (const [method, path] of [
    ['POST', '/v3/session/'],
    ['GET', '/v3/sessions/'],
    ['GET', '/v3/workflows/'],
  ] as const) {
    const { status, json } = await call(method, path, method === 'POST' ? {} : undefined, key);
    expect(status).toBe(403);
    expect(json).toEqual({ detail: 'You do not have permission to perform this action.' });
  }
});

test("a session is unknown to the other environment's key", async () => {
  const { create, call } = await startSimulator();
  const { session_id: id } = await create();
  const path = `/v3/session/${id}/decision/`;
  expect((await call('GET', path, undefined, sandboxKey)).status).toBe(404);
  expect((await call('GET', path)).status).toBe(200);
});

test('a path without its slash is redirected', async () => {
  const { call } = await startSimulator();
  const { status, response } = await call('GET', '/v3/sessions?limit=1');
  expect([status, response.headers.get('location')]).toEqual([301, '/v3/sessions/?limit=1']);
});

test('health needs no key, and workflows show their features', async () => {
  const { call } = await startSimulator();
  const health = await call('GET', '/system/healthcheck', undefined, '');
  expect(health.json).toMatchObject({ status: 'ok' });
  const { json } = await call('GET', `/v3/workflows/${workflowId}/`);
  expect(json).toMatchObject({ uuid: workflowId, features: [{ feature: 'LIVENESS' }, {}, {}] });
  expect((await call('GET', '/v3/workflows/')).json.count).toBe(3);
  expect((await call('GET', '/v3/workflows/unknown/')).status).toBe(404);
});

test('a blocked person gets no session until unblocked', async () => {
  const { create, call } = await startSimulator();
  await create({ vendor_data: 'a/b' });
  const person = `/v3/users/${encodeURIComponent('a/b')}/`;
  expect((await call('GET', person)).json).toMatchObject({ vendor_data: 'a/b', session_count: 1 });
  await call('PATCH', `${person}update-status/`, { status: 'BLOCKED' });
  const request = { workflow_id: workflowId, portrait_image: portrait, vendor_data: 'a/b' };
  const refused = await call('POST', '/v3/session/', request);
  expect(refused.status).toBe(400);
  expect(refused.json.vendor_data).toContain('blocked');
  await call('PATCH', `${person}update-status/`, { status: 'ACTIVE' });
  expect((await call('POST', '/v3/session/', request)).status).toBe(201);
});

test('people are created, renamed, listed and deleted', async () => {
  const { call } = await startSimulator();
  const made = await call('POST', '/v3/users/create/', { vendor_data: 'p', display_name: 'P' });
  expect([made.status, made.json.status]).toEqual([201, 'ACTIVE']);
  expect((await call('POST', '/v3/users/create/', { vendor_data: 'p' })).status).toBe(400);
  await call('PATCH', '/v3/users/p/', { display_name: 'Q' });
  expect((await call('GET', '/v3/users/')).json.results).toMatchObject([{ display_name: 'Q' }]);
  const deleted = await call('POST', '/v3/users/delete/', { vendor_data_list: ['p', 'q'] });
  expect(deleted.json).toEqual({ deleted: 1 });
  expect((await call('GET', '/v3/users/p/')).status).toBe(404);
});

test.each([
  ['no JSON', '{', 400],
  ['duplicate keys', '{"workflow_id":"a","workflow_id":"b"}', 400],
  ['too much', `"${'a'.repeat(4 * 1024 * 1024)}"`, 413],
])('a body of %s is refused', async (_, body, status) => {
  const { url } = await startSimulator();
  const headers = { 'x-api-key': 'live-key' };
  const response = await fetch(`${url}/v3/session/`, { method: 'POST', headers, body });
  expect(response.status).toBe(status);
});

test.each([429, 500, 502, 503])('the fault %i is answered once and then gone', async (mode) => {
  const { create, call, faults, decision } = await startSimulator();
  const { session_id: id } = await create();
  await faults({ api: { operation: 'decision', mode } });
  const failed = await call('GET', `/v3/session/${id}/decision/`);
  expect(failed.status).toBe(mode);
  expect(failed.response.headers.get('retry-after')).toBe(mode === 429 ? '1' : null);
  expect(await decision(id)).toMatchObject({ session_id: id });
});

test.each(['truncate', 'reset'])('the fault %s breaks the connection', async (mode) => {
  const { create, call, faults, decision } = await startSimulator();
  const { session_id: id } = await create();
  await faults({ api: { operation: 'decision', mode, times: 1 } });
  await expect(call('GET', `/v3/session/${id}/decision/`)).rejects.toThrow();
  expect(await decision(id)).toMatchObject({ session_id: id });
});

test('the other faults of an answer', async () => {
  const { create, call, faults } = await startSimulator();
  const { session_id: id } = await create();
  const modes = ['malformed', 'other_session', 'redirect', 'slow'];
  await faults({
    api: modes.map((mode) => ({ operation: 'decision', mode, delayMs: 1 })),
  });
  const decision = () => call('GET', `/v3/session/${id}/decision/`);
  await expect(decision()).rejects.toThrow(SyntaxError);
  expect((await decision()).json.session_id).not.toBe(id);
  expect((await decision()).status).toBe(302);
  expect((await decision()).json.session_id).toBe(id);
});

test('a truncated creation has happened all the same', async () => {
  const { call, faults } = await startSimulator();
  await faults({ api: { operation: 'create', mode: 'truncate' } });
  const request = { workflow_id: workflowId, portrait_image: portrait };
  await expect(call('POST', '/v3/session/', request)).rejects.toThrow();
  expect((await call('GET', '/v3/sessions/')).json.count).toBe(1);
});

test('the log names calls and fields, and neither keys nor faces', async () => {
  const { create, call, faults } = await startSimulator();
  await faults({ api: { operation: 'list', mode: 500 } });
  await create({ vendor_data: 'person-1' });
  await call('GET', '/v3/sessions/');
  const { json, text } = await call('GET', '/control/log');
  expect(json.calls).toMatchObject([
    {
      operation: 'create',
      method: 'POST',
      status: 201,
      fault: null,
      headers: { 'x-api-key': '[redacted]' },
      bodyFields: ['workflow_id', 'portrait_image', 'vendor_data'],
    },
    { operation: 'list', status: 500, fault: '500' },
  ]);
  expect(text).not.toContain('live-key');
  expect(text).not.toContain(portrait);
});

test.each<[string, Json]>([
  ['/control/faults', { webhook: 'drop' }],
  ['/control/faults', { webhooks: 'lose' }],
  ['/control/faults', { api: { operation: 'decide', mode: 500 } }],
  ['/control/clock', { seconds: 1 }],
])('%s refuses %j', async (path, body) => {
  const { call } = await startSimulator();
  expect((await call('POST', path, body)).status).toBe(400);
});

test('faults are forgotten when deleted, and time moves back and forth', async () => {
  const { call, faults } = await startSimulator();
  await faults({ api: { operation: 'list', mode: 500, times: 5 } });
  expect((await call('DELETE', '/control/faults')).status).toBe(204);
  expect((await call('GET', '/v3/sessions/')).status).toBe(200);
  const clock = async (body: Json) =>
    Date.parse((await call('POST', '/control/clock', body)).json.now as string);
  const day = 86_400_000;
  expect(await clock({ offsetSeconds: 86_400 })).toBeGreaterThan(Date.now() + day - 60_000);
  expect(await clock({ offsetSeconds: -86_400 })).toBeLessThan(Date.now());
  expect(await clock({ advanceSeconds: 172_800 })).toBeGreaterThan(Date.now() + day - 60_000);
});

test('an outcome without a browser is given once', async () => {
  const { create, finish } = await startSimulator();
  const { session_id: id } = await create();
  expect((await finish(id, 'bribe')).status).toBe(400);
  expect((await finish(id, 'approve')).status).toBe(200);
  expect((await finish(id, 'decline')).status).toBe(409);
  expect((await finish('unknown', 'approve')).status).toBe(404);
});
