/** A Didit that says what it is told to, over real HTTP, and the provider's client of it. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type DiditApiOptions, createDiditApi } from '../../src/didit/api.ts';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}
export type Answer = (res: ServerResponse, received: Received) => void;

export const hash = (plain: string): string =>
  createHash('sha256').update(plain).digest('base64url');
export const hosted = 'https://verify.didit.example';

export async function startDidit(
  answer: Answer,
  clock = Date.now,
  mediaRules: Partial<DiditApiOptions['media']> = {},
) {
  const received: Received[] = [];
  const server = createServer((req, res) => {
    void (async () => {
      const body = JSON.parse((await text(req)) || '{}') as Received['body'];
      const one = { method: req.method ?? '', path: req.url ?? '', headers: req.headers, body };
      received.push(one);
      answer(res, one);
    })();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const warnings: string[] = [];
  const alarms: string[] = [];
  const media = { origins: [apiBaseUrl], allowPlainHttp: true, fetch, ...mediaRules };
  const api = createDiditApi({
    ...{ apiBaseUrl, apiKey: 'key-1', hostedOrigins: [hosted], fetch, hash, clock, media },
    createsPerMinute: 1_000,
    warn: (message) => void warnings.push(message),
    alarm: (reason) => void alarms.push(reason),
  });
  return { api, apiBaseUrl, received, warnings, alarms };
}

export function say(status: number, body: unknown): Answer {
  return (res) => {
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}
