import { expect, test } from 'vitest';
import { parseUserAgent } from '../../src/simulator/user-agent.ts';
import { newBrowser, sandboxKey, startSimulator } from './support.ts';

const callback = 'https://rp.example/back?kept=1#part';
const returnTo = (id: string, status: string) =>
  `https://rp.example/back?kept=1&verificationSessionId=${id}&status=${status}#part`;

test('opening the page begins the check and one button ends it', async () => {
  const { create, decision, receiver } = await startSimulator();
  const { session_id: id, url } = await create({ callback });
  const visit = newBrowser();
  const { response, text } = await visit(url);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(text).toContain('no real check happens');
  expect(text).not.toMatch(/ style=|<style| on\w+=/);
  expect(await decision(id)).toMatchObject({ status: 'In Progress', liveness_checks: null });
  await receiver.wait('In Progress');
  const { status, location } = await visit(url, 'approve');
  expect([status, location]).toEqual([303, returnTo(id, 'Approved')]);
  expect(await decision(id)).toMatchObject({
    status: 'Approved',
    ip_analyses: [{ ip_address: '127.0.0.1', browser_family: 'Chrome', os_family: 'Linux' }],
  });
  await receiver.wait('Approved');
});

test.each([
  ['approve', 'Approved'],
  ['decline', 'Declined'],
  ['spoof', 'Declined'],
  ['review', 'In%20Review'],
  ['low-score', 'Approved'],
  ['no-match', 'Approved'],
  ['abandon', 'Abandoned'],
  ['expire', 'Expired'],
])('the button %s sends the browser back with %s', async (outcome, status) => {
  const { create } = await startSimulator();
  const { session_id: id, url } = await create({ callback, language: 'de' });
  const visit = newBrowser();
  expect((await visit(url)).text).toContain(`data-outcome="${outcome}"`);
  expect((await visit(url, outcome)).location).toBe(returnTo(id, status));
});

test.each([
  ['initiator', true, false],
  ['completer', false, true],
  ['both', true, true],
])('callback_method %s', async (method, initiatorReturns, completerReturns) => {
  const { create } = await startSimulator();
  const { session_id: id, url } = await create({ callback, callback_method: method });
  const desktop = newBrowser();
  const phone = newBrowser();
  await desktop(url);
  await phone(url);
  const target = returnTo(id, 'Approved');
  expect((await phone(url, 'approve')).location).toBe(completerReturns ? target : null);
  expect((await desktop(url)).location).toBe(initiatorReturns ? target : null);
  expect((await newBrowser()(url)).location).toBeNull();
});

test('a finished session stays as it is', async () => {
  const { create, decision } = await startSimulator();
  const { session_id: id, url } = await create({ callback });
  const visit = newBrowser();
  await visit(url, 'decline');
  const again = await visit(url, 'approve');
  expect([again.status, again.location]).toEqual([409, null]);
  expect((await visit(url)).text).toContain('finished');
  expect(await decision(id)).toMatchObject({ status: 'Declined' });
});

test('without a callback the browser stays on a page that says it is done', async () => {
  const { create } = await startSimulator();
  const { url } = await create();
  const { status, text } = await newBrowser()(url, 'approve');
  expect(status).toBe(200);
  expect(text).toContain('The check is finished');
});

test('a link preview does not begin the check', async () => {
  const { create, decision } = await startSimulator();
  const { session_id: id, url } = await create();
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
  expect(await decision(id)).toMatchObject({ status: 'Not Started' });
});

test('an unknown token and an unknown outcome are refused in words', async () => {
  const { create, url: origin } = await startSimulator();
  expect((await fetch(`${origin}/session/unknown-token`)).status).toBe(404);
  const { url } = await create();
  expect((await newBrowser()(url, 'bribe')).status).toBe(400);
});

test('with a scenario only finishing and leaving are offered', async () => {
  const { create } = await startSimulator();
  const { url } = await create({ sandbox_scenario: 'decline_liveness_attack' }, sandboxKey);
  const { text } = await newBrowser()(url);
  const offered = [...text.matchAll(/data-outcome="([\w-]+)"/g)].map(([, name]) => name);
  expect(offered).toEqual(['approve', 'abandon', 'expire']);
});

test('what a page shows of a session is escaped', async () => {
  const workflow = {
    id: 'wf',
    label: '<script>"&',
    version: 1,
    features: ['LIVENESS'],
    livenessMethod: 'PASSIVE',
    ttlSeconds: 60,
  } as const;
  const { create } = await startSimulator({ workflows: [workflow] });
  const { url } = await create({ workflow_id: 'wf' });
  expect((await newBrowser()(url)).text).toContain('&lt;script&gt;&quot;&amp;');
});

test('the page brings its own style and script', async () => {
  const { url } = await startSimulator();
  for (const [path, type] of [
    ['/simulator/page.css', 'text/css'],
    ['/simulator/page.js', 'text/javascript'],
  ] as const) {
    const response = await fetch(url + path);
    expect(response.headers.get('content-type')).toContain(type);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(200);
  }
});

test.each([
  ['(Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge', 'Windows', 'desktop'],
  ['(X11; Linux x86_64) HeadlessChrome/140.0 Safari/537.36', 'Chrome', 'Linux', 'desktop'],
  ['(Linux; Android 15) Chrome/140.0 Mobile Safari/537.36', 'Chrome', 'Android', 'mobile'],
  ['(Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1', 'Safari', 'macOS', 'desktop'],
  [
    '(iPhone; CPU iPhone OS 26_0 like Mac OS X) CriOS/140.0 Safari/604.1',
    'Chrome',
    'iOS',
    'mobile',
  ],
  ['curl/8.0', null, null, 'desktop'],
])('the user agent %s', (header, browserFamily, osFamily, platform) => {
  expect(parseUserAgent(header)).toEqual({ browserFamily, osFamily, platform });
});
