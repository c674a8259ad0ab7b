/** Sites with TLS, as they are in life: a certificate of this test's own, and a proxy before each server. */
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';

export const hosts = {
  provider: 'idp.localhost',
  /** A sister of the provider, whom nobody should trust for it. */
  sister: 'evil.idp.localhost',
  didit: 'didit.localhost',
  stranger: 'evil.localhost',
  app: 'rp.localhost',
};

export interface TlsFront {
  port: number;
  /** Where requests go, by the host that they name. */
  lead(host: string, port: number): void;
  close(): Promise<void>;
}

export async function startTlsFront(): Promise<TlsFront> {
  const altNames = Object.values(hosts).map((value) => ({ type: 2 as const, value }));
  const pair = await generate([{ name: 'commonName', value: hosts.provider }], {
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  const targets = new Map<string, number>();
  const server = createServer({ key: pair.private, cert: pair.cert }, (message, response) => {
    const { method, url: path, headers } = message;
    const target = targets.get((headers.host ?? '').replace(/:\d+$/, ''));
    if (target === undefined) {
      // A page of somebody else's: of an app that people come back to, or of a stranger; a test fills it.
      response.end('<!doctype html><title>elsewhere</title><h1>Elsewhere</h1>');
      return;
    }
    const onward = request({ port: target, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    message.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    lead: (host, port) => void targets.set(host, port),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
