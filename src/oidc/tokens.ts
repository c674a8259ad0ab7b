/** Access tokens: for which resources they are issued, and who may ask about them. */
import {
  type AccessToken,
  type Client,
  type ClientCredentials,
  type Configuration,
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

/** A client learns of its own tokens; a resource's reader also of those that were issued for it. */
export function tokenAccess(resources: readonly Resource[]) {
  const readers = new Map(resources.map((one) => [one.identifier, new Set(one.introspected_by)]));
  const isOwn = (client: Client, token: Token): boolean => token.clientId === client.clientId;

  function introspect(_ctx: KoaContextWithOIDC, client: Client, token: Token): boolean {
    if (isOwn(client, token)) return true;
    const audience = 'aud' in token && typeof token.aud === 'string' ? token.aud : undefined;
    return (
      audience !== undefined &&
      client.clientAuthMethod !== 'none' &&
      readers.get(audience)?.has(client.clientId) === true
    );
  }

  return {
    introspect,
    revoke: (_ctx: KoaContextWithOIDC, client: Client, token: Token) => isOwn(client, token),
  };
}
