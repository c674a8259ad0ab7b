/** The simulator as production wants Didit, behind TLS, with a certificate that this process believes. */
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';
import { randomKey } from '../../src/config/keys.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { freePort } from './ports.ts';
import { webhookSecret } from './testbed.ts';

export type DiditWithTls = Awaited<ReturnType<typeof startDidit>>;

/** @param host by which others know it; the certificate is for `localhost` as well. */
export async function startDidit(host: string) {
  const altNames = [host, 'localhost'].map((value) => ({ type: 2 as const, value }));
  const pair = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  setDefaultCACertificates([...getCACertificates('default'), pair.cert]);
  const certificate = { key: pair.private, cert: pair.cert };
  const simulatorPort = await freePort();
  const front = await startFront(certificate, simulatorPort);
  const url = `https://${host}:${front.port}`;
  const apiKey = randomKey();
  const simulator = await createSimulator({
    apiKeys: { live: [apiKey] },
    ...{ webhookSecret, webhookDelayMs: 0, hostedOrigin: url },
  });
  const plainUrl = await simulator.listen(simulatorPort, '127.0.0.1');
  return {
    ...{ simulator, url, plainUrl, apiKey, certificate },
    async close(): Promise<void> {
      await front.close();
      await simulator.close();
    },
  };
}

/** Hands everything to a port of this machine. Listens everywhere: containers come from other addresses. */
export async function startFront(certificate: { key: string; cert: string }, to: number) {
  const server = createServer(certificate, (message, response) => {
    const { method, url: path, headers } = message;
    const asked = request({ port: to, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    message.pipe(asked);
  });
  server.listen(0);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
