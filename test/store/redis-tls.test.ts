/** A Redis that speaks TLS alone: reached by those who trust its certificate for its name, and by nobody else. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { freePort } from '../support/ports.ts';
import { startRedisServer } from '../support/redis.ts';

const plain = { encryptionKeys: [], clock: Date.now };

test('[PL-05] over TLS a Redis is believed only with a certificate of its own name that is trusted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-redis-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const pair = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  writeFileSync(cert, pair.cert);
  writeFileSync(key, pair.private);
  const port = await freePort();
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
  const server = await startRedisServer({
    args: ['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'],
  });
  onTestFinished(() => server.stop());
  const url = `rediss://localhost:${port}`;

  await expect(openStore({ ...plain, url })).rejects.toThrow(/self-signed certificate/);
  const trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, pair.cert]);
  onTestFinished(() => setDefaultCACertificates(trusted));
  const { store } = await openStore({ ...plain, url });
  await store.put('a:1', 'value');
  expect((await store.get('a:1'))?.value).toBe('value');
  await store.close();
  // The same server by another name.
  await expect(openStore({ ...plain, url: url.replace('localhost', '127.0.0.1') })).rejects.toThrow(
    /does not match|altnames/,
  );
}, 30_000);
