import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseClients } from '../../src/oidc/clients.ts';

const secret = 'a-secret-of-thirty-two-characters';
const digest = `sha256:${createHash('sha256').update(secret).digest('base64url')}`;

describe('a file of clients', () => {
  test('gives their metadata as written, with the operator’s own words beside it', () => {
    const text = `
clients:
  - client_id: wiki
    client_name: Acme Wiki
    redirect_uris: [https://wiki.acme.example/callback]
    first_party: true
    pkce: optional
    policy: strict
    minimum_acr: urn:didit-oidc:acr:selfie
    token_endpoint_auth_method: none
`;
    expect(parseClients(text).clients).toEqual([
      {
        client_id: 'wiki',
        client_name: 'Acme Wiki',
        redirect_uris: ['https://wiki.acme.example/callback'],
        first_party: true,
        pkce: 'optional',
        policy: 'strict',
        minimum_acr: 'urn:didit-oidc:acr:selfie',
        handoff: false,
        token_endpoint_auth_method: 'none',
      },
    ]);
  });

  test('takes nobody for one of the house who is not called so', () => {
    const [client] = parseClients('clients: [{ client_id: wiki }]').clients;
    expect(client).toMatchObject({ first_party: false, redirect_uris: [] });
    expect(client).not.toHaveProperty('client_secret');
  });

  test('[PL-02] keeps a secret as its digest alone, whether it came as text or as digest', () => {
    for (const line of [`client_secret: ${secret}`, `client_secret_hash: ${digest}`]) {
      const [client] = parseClients(`clients: [{ client_id: wiki, ${line} }]`).clients;
      expect(client).toMatchObject({ client_secret: digest });
      expect(client).not.toHaveProperty('client_secret_hash');
      expect(JSON.stringify(client)).not.toContain(secret);
    }
  });

  test.each(['', '# only a comment', '{}', 'clients: []'])('may name none, as "%s"', (text) => {
    expect(parseClients(text)).toEqual({ clients: [], resources: [], privateAddresses: new Map() });
  });

  test('describes resources, with tokens of ten minutes that it can check by itself', () => {
    const text = 'resources: [{ identifier: "https://api.acme.example", scope: "read write" }]';
    expect(parseClients(text).resources).toEqual([
      {
        identifier: 'https://api.acme.example',
        scope: 'read write',
        access_token_format: 'jwt',
        access_token_ttl_seconds: 600,
        introspected_by: [],
      },
    ]);
  });

  test('of the project’s own can be read', () => {
    const file = new URL('../../config/conformance-clients.yaml', import.meta.url);
    expect(parseClients(readFileSync(file, 'utf8')).clients.length).toBeGreaterThan(0);
  });
});

describe('a file of clients is refused for', () => {
  test.each<[string, string, RegExp]>([
    ['a client of no name', 'clients: [{ client_name: Wiki }]', /clients\[0\]\.client_id/],
    ['an empty name', 'clients: [{ client_id: "" }]', /clients\[0\]\.client_id/],
    ['a name that is a number', 'clients: [{ client_id: 7 }]', /expected string[^]*client_id/],
    [
      'a secret of 31 characters',
      `clients: [{ client_id: wiki, client_secret: ${'x'.repeat(31)} }]`,
      /at least 32 characters[^]*clients\[0\]\.client_secret/,
    ],
    [
      'an empty secret',
      'clients: [{ client_id: wiki, client_secret: "" }]',
      /clients\[0\]\.client_secret/,
    ],
    [
      'a digest of another kind',
      `clients: [{ client_id: wiki, client_secret_hash: "md5:${'0'.repeat(43)}" }]`,
      /clients secret[^]*clients\[0\]\.client_secret_hash/,
    ],
    [
      'a digest with something after it',
      `clients: [{ client_id: wiki, client_secret_hash: "${digest}=" }]`,
      /clients\[0\]\.client_secret_hash/,
    ],
    [
      '"yes" to being of the house',
      'clients: [{ client_id: wiki, first_party: "yes" }]',
      /expected boolean[^]*clients\[0\]\.first_party/,
    ],
    ['a policy of no name', 'clients: [{ client_id: wiki, policy: "" }]', /clients\[0\]\.policy/],
    [
      'a class that nobody can reach',
      'clients: [{ client_id: wiki, minimum_acr: "urn:didit-oidc:acr:selfi" }]',
      /urn:didit-oidc:acr:selfie-active[^]*clients\[0\]\.minimum_acr/,
    ],
    [
      '"yes" to the hand-off',
      'clients: [{ client_id: wiki, handoff: "yes" }]',
      /expected boolean[^]*clients\[0\]\.handoff/,
    ],
    ['another word on PKCE', 'clients: [{ client_id: wiki, pkce: off }]', /clients\[0\]\.pkce/],
    ['a heading that is unknown', 'client: []', /Unrecognized key: "client"/],
    ['a list without a heading', '[{ client_id: wiki }]', /expected object/],
    [
      'a resource that is no address',
      'resources: [{ identifier: api, scope: read }]',
      /resources\[0\]\.identifier/,
    ],
    [
      'a key of a resource misspelt',
      'resources: [{ identifier: "https://a.example", scope: r, ttl: 1 }]',
      /"ttl"[^]*resources\[0\]/,
    ],
    [
      'tokens that live no time',
      'resources: [{ identifier: "https://a.example", scope: r, access_token_ttl_seconds: 0 }]',
      /resources\[0\]\.access_token_ttl_seconds/,
    ],
    ['broken YAML', 'clients: [{ client_id: wiki', /at line 1, column/],
  ])('%s', (_, text, message) => {
    expect(() => parseClients(text)).toThrow(message);
  });

  test('all that is wrong, at once', () => {
    const text = 'clients: [{ client_id: "" }, { client_id: wiki }, { pkce: off }]';
    expect(() => parseClients(text)).toThrow(
      /clients\[0\]\.client_id[^]*clients\[2\]\.client_id[^]*clients\[2\]\.pkce/,
    );
  });

  test('[PL-02] a short secret, without repeating it', () => {
    const short = 'hunter2-hunter2';
    const text = `clients: [{ client_id: wiki, client_secret: ${short} }]`;
    const problem = catchError(() => parseClients(text));
    expect(problem).toContain('client_secret');
    expect(problem).not.toContain(short);
  });
});

function catchError(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String(error);
  }
  throw new Error('nothing was thrown');
}
