/** Spans of a sign-in, by an SDK in a process of its own: what is loaded there is loaded for the whole process. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

interface Run {
  spans: {
    name: string;
    traceId: string;
    spanId: string;
    parentId?: string;
    attributes: Record<string, unknown>;
  }[];
  canaries: string[];
  requestIds: string[];
}

const program = fileURLToPath(new URL('../support/span-run.ts', import.meta.url));

async function run(...args: string[]): Promise<Run> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
  return JSON.parse(stdout) as Run;
}

it('with an SDK there is a span for each request, each call to Didit and each operation of the store, and nobody in it', async () => {
  const { spans, canaries, requestIds } = await run();
  const names = spans.map(({ name }) => name);
  const wanted = ['POST /interaction/:uid/selfie', 'POST /webhooks/didit', 'POST token'];
  expect(names).toEqual(expect.arrayContaining([...wanted, 'didit create', 'didit decision']));
  expect(names).toContain('store put attempt');
  // What a request leads to hangs below it.
  const selfie = spans.find(({ name }) => name === 'POST /interaction/:uid/selfie');
  const create = spans.find(({ name }) => name === 'didit create');
  expect(create).toMatchObject({ traceId: selfie?.traceId, parentId: selfie?.spanId });
  expect(selfie?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/interaction/:uid/selfie',
    'http.response.status_code': 303,
  });
  // The log has the same ids.
  expect(requestIds.length).toBeGreaterThan(5);
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(
    new Set([...spans.map(({ traceId }) => traceId), ...requestIds]),
  );

  const text = JSON.stringify(
    spans.map(({ traceId: _t, spanId: _s, parentId: _p, ...told }) => told),
  );
  expect(canaries.length).toBeGreaterThan(10);
  expect(canaries.filter((canary) => canary !== '' && text.includes(canary))).toEqual([]);
}, 120_000);

it('without one there is none, and everything goes as it does', async () => {
  const { spans, requestIds } = await run('without');
  expect(spans).toEqual([]);
  expect(requestIds.length).toBeGreaterThan(5);
}, 120_000);
