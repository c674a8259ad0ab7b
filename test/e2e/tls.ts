/** Sites with TLS, as they are in life: a certificate of this test's own, and a proxy before each server. */
import { once } from 'node:events';
import { request } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';

export const hosts = {
  provider: 'idp.localhost',
  /** A sister of the provider, whom nobody should trust for it. */
  sister: 'evil.idp.localhost',
  didit: 'didit.localhost',
  stranger: 'evil.localhost',
  app: 'rp.localhost',
  /** Where the app sends people on to. */
  beyond: 'beyond.localhost',
};

/** Of a host that is nobody's: who comes here is sent on to `beyond`. */
export const onward = '/on';

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
    if (target === undefined && path?.startsWith(onward)) {
      // An app whose people go on to another origin, by whichever method they came.
      response.writeHead(302, { location: `https://${hosts.beyond}:${portOf(server)}/` }).end();
      return;
    }
    if (target === undefined) {
      // A page of somebody else's: of an app that people come back to, or of a stranger; a test fills it.
      response.setHeader('content-type', 'text/html');
      response.end(
        '<!doctype html><link rel="icon" href="data:,"><title>elsewhere</title><h1>Elsewhere</h1>',
      );
      return;
    }
    const asked = request({ port: target, method, path, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    response.on('close', () => asked.destroy());
    message.pipe(asked);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    lead: (host, port) => void targets.set(host, port),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
