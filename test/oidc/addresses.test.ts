/**
 * The three addresses that a relying party may give us to call: its keys, its sector, its logout. Whoever can register
 * could name a machine of ours; tried on the whole provider, with servers that would have been reached.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type RequestListener, createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { keepLog } from '../didit/support.ts';
import { type TestBrowser, formsOf } from '../support/browser.ts';
import { press, settle } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { createOtherParty, newRequest, post, signedIn } from './support.ts';

type Server = ReturnType<typeof createServer> | ReturnType<typeof createPlainServer>;

const registrationToken = randomKey();
const redirect = 'http://localhost:9/callback';
const log = keepLog();
const trusted = getCACertificates('default');
let own: { server: Server; port: number; asked: string[]; open: Set<unknown>; certificate: string };
let inside: { server: Server; port: number; asked: string[] };
let key: jose.GenerateKeyPairResult;
let keys: string;

beforeAll(async () => {
  key = await jose.generateKeyPair('ES256');
  const jwk = { ...(await jose.exportJWK(key.publicKey)), kid: 'mine', alg: 'ES256' };
  keys = JSON.stringify({ keys: [jwk] });
  own = await openServers();
  inside = await openInside();
  setDefaultCACertificates([...trusted, own.certificate]);
});
afterAll(async () => {
  setDefaultCACertificates(trusted);
  await Promise.all([close(own.server), close(inside.server)]);
});
beforeEach(() => {
  own.asked.splice(0);
  inside.asked.splice(0);
  log.clear();
});

/** What a relying party might be, by the path that it is called at. */
const answers: Record<string, RequestListener> = {
  good: (request, response) => {
    response.end(request.url?.endsWith('/sector') ? JSON.stringify([redirect]) : keys);
  },
  'leads into our network': (_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${inside.port}/secret` }).end();
  },
  'leads to the machine’s own data': (_request, response) => {
    response.writeHead(307, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
  },
  'sends ten megabytes': (_request, response) => {
    response.writeHead(200);
    for (let sent = 0; sent < 160; sent += 1) response.write(' '.repeat(64 * 1024));
    response.end(keys);
  },
  'answers a letter a second': (_request, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(' '), 1_000);
    response.on('close', () => clearInterval(drip));
  },
  'says nothing': () => undefined,
};
const pathOf = (behaviour: string): string => `/${encodeURIComponent(behaviour)}`;

async function openServers(): Promise<typeof own> {
  const altNames = [{ type: 7 as const, ip: '127.0.0.1' }];
  const pair = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames },
    ],
  });
  const [asked, open]: [string[], Set<unknown>] = [[], new Set()];
  const server = createServer({ key: pair.private, cert: pair.cert }, (request, response) => {
    const { url = '' } = request;
    const [, behaviour = ''] = url.split('/');
    asked.push(url);
    open.add(request);
    response.on('close', () => open.delete(request));
    answers[decodeURIComponent(behaviour)]?.(request, response);
  });
  // Whoever comes as far as a connection was called.
  server.on('connection', () => asked.push('connection'));
  server.listen(0, '::');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, port, asked, open, certificate: pair.cert };
}

async function openInside(): Promise<typeof inside> {
  const asked: string[] = [];
  const server = createPlainServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(keys);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, asked };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

interface World {
  bed: Testbed;
  ana: TestBrowser;
}

async function open(allowPrivateNetworks: boolean): Promise<World> {
  const bed = await startTestbed({
    log: log.write,
    flags: {
      outgoing: { allowPrivateNetworks },
      dynamicRegistration: { enabled: true, initialAccessToken: registrationToken },
    },
  });
  return { bed, ana: await signedIn(bed) };
}

async function register({ bed }: World, metadata: object): Promise<Record<string, string>> {
  const answer = await fetch(`${bed.issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${registrationToken}` },
    body: JSON.stringify({ application_type: 'native', redirect_uris: [redirect], ...metadata }),
  });
  return (await answer.json()) as Record<string, string>;
}

/** How each of the three is called, what came of it, `ok` or why not, and how long it took from the call on. */
type Use = (
  world: World,
  address: string,
  more?: object,
) => Promise<{ result: string; ms: number }>;
const uses: Record<string, Use> = {
  async jwks_uri(world, address, more = {}) {
    const registered = await timed(() =>
      register(world, {
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['authorization_code', 'client_credentials'],
        ...{ jwks_uri: address, ...more },
      }),
    );
    const { client_id: id = '', error } = registered.of;
    if (error) return { result: error, ms: registered.ms };
    const assertion = await new jose.SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'mine' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(world.bed.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key.privateKey);
    const { of, ms } = await timed(() =>
      post(`${world.bed.issuer}/token`, {
        grant_type: 'client_credentials',
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      }),
    );
    const result = of.json.access_token === undefined ? String(of.json.error) : 'ok';
    return { result, ms: registered.ms + ms };
  },
  async sector_identifier_uri(world, address, more = {}) {
    const { of, ms } = await timed(() =>
      register(world, {
        token_endpoint_auth_method: 'none',
        subject_type: 'pairwise',
        ...{ sector_identifier_uri: address, ...more },
      }),
    );
    return { result: of['error'] ?? 'ok', ms };
  },
  async backchannel_logout_uri(world, address, more = {}) {
    const registered = await timed(() =>
      register(world, {
        token_endpoint_auth_method: 'none',
        ...{ backchannel_logout_uri: address, ...more },
        backchannel_logout_session_required: true,
      }),
    );
    const { client_id: id = '', error } = registered.of;
    if (error) return { result: error, ms: registered.ms };
    await visit(world, id);
    const noted = () => {
      const note = log.lines().find(({ client, attempt }) => client === id && attempt === 1);
      expect(note).toBeDefined();
      return note;
    };
    const { of, ms } = await timed(async () => {
      await leave(world);
      return vi.waitFor(noted, { timeout: 10_000 });
    });
    world.ana = await signedIn(world.bed);
    const result = of?.['result'] === 'delivered' ? 'ok' : String(of?.['reason']);
    return { result, ms: registered.ms + ms };
  },
};

/** Into the client by single sign-on. */
async function visit({ bed, ana }: World, clientId: string): Promise<void> {
  const config = await createOtherParty(bed, clientId, oidc.None());
  const { parameters } = await newRequest();
  const url = oidc.buildAuthorizationUrl(config, parameters);
  const consent = await settle(ana, await ana.get(url.href));
  await settle(ana, await press(ana, consent, 'allow'));
}

async function leave({ bed, ana }: World): Promise<void> {
  const [form] = formsOf(await ana.get(`${bed.issuer}/session/end`));
  await ana.post(form?.action ?? '', { ...form?.fields, logout: 'yes' });
}

/** How long it took that somebody may have waited for. */
async function timed<T>(work: () => Promise<T>): Promise<{ of: T; ms: number }> {
  const startedMs = performance.now();
  const of = await work();
  return { of, ms: performance.now() - startedMs };
}

const withPath = (use: string, behaviour: string): string =>
  `${pathOf(behaviour)}/${use === 'sector_identifier_uri' ? 'sector' : 'x'}`;

describe.each(Object.entries(uses))(
  '[PL-07] the %s of a client that registered itself',
  (name, use) => {
    let world: World;
    beforeAll(async () => {
      world = await open(false);
      return () => world.bed.close();
    });

    it.each([
      ...[
        '127.0.0.1',
        '127.1',
        '2130706433',
        '0x7f000001',
        '0177.0.0.1',
        '0.0.0.0',
        '[::1]',
        '[::]',
      ],
      ...[
        '[::ffff:127.0.0.1]',
        '[::ffff:7f00:1]',
        'localhost',
        '[64:ff9b::7f00:1]',
        '169.254.169.254',
      ],
      ...[
        '[fd00::1]',
        '[fe80::1]',
        '10.0.0.1',
        '172.16.0.1',
        '192.168.0.1',
        '100.64.0.1',
        '224.0.0.1',
      ],
    ])('is not called at %s', async (host) => {
      const address = `https://${host}:${own.port}${withPath(name, 'good')}`;
      const { result, ms } = await use(world, address);
      expect(result).toMatch(/^(invalid_client(_metadata)?|AddressRefused)$/);
      // Nobody was waited for, either.
      expect(ms).toBeLessThan(2_000);
      expect(own.asked).toEqual([]);
    });

    it('is not called over http, nor where it says that it may be', async () => {
      const address = `http://127.0.0.1:${inside.port}/`;
      expect((await use(world, address)).result).not.toBe('ok');
      expect(inside.asked).toEqual([]);
      const bold = { private_networks: ['127.0.0.0/8', '127.0.0.1'] };
      const itself = `https://127.0.0.1:${own.port}${withPath(name, 'good')}`;
      expect((await use(world, itself, bold)).result).not.toBe('ok');
      expect(own.asked).toEqual([]);
    });
  },
);

describe.each(Object.entries(uses))('[PL-07] the %s, where it may be called', (name, use) => {
  let world: World;
  beforeAll(async () => {
    world = await open(true);
    return () => world.bed.close();
  });
  const address = (behaviour: string): string =>
    `https://127.0.0.1:${own.port}${withPath(name, behaviour)}`;

  it('is called, so that what is refused below could have been', async () => {
    expect((await use(world, address('good'))).result).toBe('ok');
    expect(own.asked).not.toEqual([]);
  });

  it.each(['leads into our network', 'leads to the machine’s own data'])(
    'and %s, is not followed',
    async (behaviour) => {
      expect((await use(world, address(behaviour))).result).not.toBe('ok');
      expect(own.asked).not.toEqual([]);
      expect(inside.asked).toEqual([]);
    },
  );

  it.each(['sends ten megabytes', 'answers a letter a second', 'says nothing'])(
    'and %s, is given up in time',
    async (behaviour) => {
      const { result, ms } = await use(world, address(behaviour));
      expect(ms).toBeLessThan(4_500);
      // A logout is heard with the first line of the answer; what comes after is not read.
      const isHeard = name === 'backchannel_logout_uri' && behaviour !== 'says nothing';
      expect(result === 'ok').toBe(isHeard);
      expect(own.asked).not.toEqual([]);
      await vi.waitFor(() => expect(own.open.size).toBe(0), { timeout: 5_000 });
    },
  );
});
