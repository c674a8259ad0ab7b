/** Access tokens: for which resources they are issued, and who may ask about them. */
import {
  type AccessToken,
  type Client,
  type ClientCredentials,
  type Configuration,
  type FindAccount,
  type KoaContextWithOIDC,
  type RefreshToken,
  errors,
} from 'oidc-provider';
import type { Resource } from './clients.ts';

type Features = NonNullable<Configuration['features']>;
type Token = AccessToken | ClientCredentials | RefreshToken;

/** RFC 8707. A token without a resource is opaque and opens userinfo; one for a resource is what that resource reads. */
export function resourceIndicators(
  resources: readonly Resource[],
): NonNullable<Features['resourceIndicators']> {
  const byIdentifier = new Map(resources.map((resource) => [resource.identifier, resource]));
  return {
    enabled: true,
    getResourceServerInfo(_ctx, indicator) {
      const resource = byIdentifier.get(indicator);
      if (!resource) throw new errors.InvalidTarget();
      return {
        scope: resource.scope,
        audience: resource.identifier,
        accessTokenFormat: resource.access_token_format,
        accessTokenTTL: resource.access_token_ttl_seconds,
        jwt: { sign: { alg: 'ES256' } },
      };
    },
    useGrantedResource: () => true,
  };
}

/**
 * A client learns of its own tokens; a resource's reader also of those that were issued for it. Nobody learns that
 * a token of somebody who is gone or blocked was once good.
 */
export function tokenAccess(resources: readonly Resource[], findAccount: FindAccount) {
  const readers = new Map(resources.map((one) => [one.identifier, new Set(one.introspected_by)]));
  const isOwn = (client: Client, token: Token): boolean => token.clientId === client.clientId;

  function isFor(client: Client, token: Token): boolean {
    const audience = 'aud' in token && typeof token.aud === 'string' ? token.aud : undefined;
    return (
      audience !== undefined &&
      client.clientAuthMethod !== 'none' &&
      readers.get(audience)?.has(client.clientId) === true
    );
  }

  async function introspect(
    ctx: KoaContextWithOIDC,
    client: Client,
    token: Token,
  ): Promise<boolean> {
    if (!isOwn(client, token) && !isFor(client, token)) return false;
    if (!('accountId' in token)) return true;
    return (await findAccount(ctx, token.accountId)) !== undefined;
  }

  return {
    introspect,
    revoke: (_ctx: KoaContextWithOIDC, client: Client, token: Token) => isOwn(client, token),
  };
}
