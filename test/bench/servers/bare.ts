/**
 * The bare library with a Map behind it: the same keys, clients, scopes, features and lifetimes as ours, and none
 * of the rest. No lock, no sealing, no network, no expiry: less than anybody could run.
 */
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import type { Adapter, AdapterPayload, Configuration } from 'oidc-provider';
import { testClients } from '../../support/testbed.ts';
import { announceReady, readSettings } from './measured.ts';

const { port, jwks, cookieKey, clientSecret } = readSettings();
const issuer = `http://127.0.0.1:${port}`;
const accountId = 'ana';
const person = { name: 'Ana', email: 'ana@example.com', email_verified: true, groups: ['staff'] };

const records = new Map<string, AdapterPayload>();
const sessionIds = new Map<string, string>();
const keysOfGrant = new Map<string, string[]>();

function mapAdapter(model: string): Adapter {
  const keyOf = (id: string): string => `${model}:${id}`;
  return {
    upsert(id, payload) {
      if (payload.uid !== undefined) sessionIds.set(payload.uid, id);
      if (payload.grantId !== undefined) {
        const keys = keysOfGrant.get(payload.grantId) ?? [];
        keysOfGrant.set(payload.grantId, keys);
        keys.push(keyOf(id));
      }
      records.set(keyOf(id), payload);
      return Promise.resolve(undefined);
    },
    find: (id) => Promise.resolve(records.get(keyOf(id))),
    findByUid: (uid) => Promise.resolve(records.get(keyOf(sessionIds.get(uid) ?? ''))),
    findByUserCode: () => Promise.resolve(undefined),
    consume(id) {
      const payload = records.get(keyOf(id));
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
      return Promise.resolve(undefined);
    },
    destroy(id) {
      records.delete(keyOf(id));
      return Promise.resolve(undefined);
    },
    revokeByGrantId(grantId) {
      for (const key of keysOfGrant.get(grantId) ?? []) records.delete(key);
      return Promise.resolve(undefined);
    },
  };
}

const configuration: Configuration = {
  adapter: mapAdapter,
  jwks: jwks,
  clients: testClients(clientSecret) as NonNullable<Configuration['clients']>,
  cookies: { keys: [cookieKey] },
  claims: {
    openid: ['sub', 'acr', 'amr', 'auth_time'],
    profile: ['name', 'preferred_username', 'updated_at'],
    email: ['email', 'email_verified'],
    groups: ['groups'],
  },
  conformIdTokenClaims: false,
  scopes: ['openid', 'offline_access'],
  responseTypes: ['code'],
  pkce: { required: () => true },
  interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...person }) }),
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1) },
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    requestObjects: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
    },
    revocation: { enabled: true },
    backchannelLogout: { enabled: true },
  },
  ttl: {
    AccessToken: 600,
    AuthorizationCode: 60,
    ClientCredentials: 600,
    Grant: 1_209_600,
    IdToken: 600,
    Interaction: 900,
    RefreshToken: 1_209_600,
    Session: 28_800,
  },
};

const provider = new Provider(issuer, configuration);
provider.use(async function stubInteraction(ctx, next) {
  if (!ctx.path.startsWith('/interaction/')) {
    await next();
    return;
  }
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const grant = new provider.Grant({ accountId, clientId: String(params.client_id) });
  grant.addOIDCScope(String(params.scope));
  const consent = { grantId: await grant.save() };
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId }, consent });
});

const listener = provider.callback();
createServer((req, res) => void listener(req, res)).listen(port, '127.0.0.1', () => {
  announceReady();
});
