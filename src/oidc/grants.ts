/** What an account has granted a relying party. */
import type { Configuration, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { acr, acrName } from '../domain/assurance.ts';
import { isFirstParty } from './prompts.ts';

type LoadExistingGrant = NonNullable<Configuration['loadExistingGrant']>;

/**
 * An app of the house is granted what it asks for, without a question. Any other finds the grant that the person
 * gave in this session or just now. A grant that is gone (revoked, expired) is as if it had never been.
 */
export function createGrantLoader(environment: 'live' | 'sandbox'): LoadExistingGrant {
  const handedOff = acrName(acr.selfieHandoff, environment);
  return async function loadExistingGrant(ctx) {
    const { client, provider, session, account, result } = ctx.oidc;
    if (!client || !account) return undefined;
    if (session?.acr === handedOff) withoutOfflineAccess(ctx);
    const consented = (result?.consent as { grantId?: string } | undefined)?.grantId;
    const grantId = consented ?? session?.grantIdFor(client.clientId);
    const found = grantId ? await provider.Grant.find(grantId) : undefined;
    const mine =
      found?.accountId === account.accountId && found.clientId === client.clientId
        ? found
        : undefined;
    if (!isFirstParty(client)) return mine;

    const grant =
      mine ?? new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    const before = JSON.stringify(grant);
    grantAll(ctx, grant);
    if (!mine || JSON.stringify(grant) !== before) await grant.save();
    return grant;
  };
}

/** What a selfie on another device opened is not kept open while nobody is there: it is as if nobody had asked. */
function withoutOfflineAccess({ oidc: { params } }: KoaContextWithOIDC): void {
  if (typeof params?.scope !== 'string') return;
  const scopes = params.scope.split(' ').filter((scope) => scope !== 'offline_access');
  params.scope = scopes.join(' ');
}

function grantAll(ctx: KoaContextWithOIDC, grant: Grant): void {
  const { requestParamOIDCScopes, requestParamScopes, requestParamClaims, resourceServers } =
    ctx.oidc;
  const missing = (has: string, wanted: Iterable<string>): string[] => {
    const granted = new Set(has.split(' '));
    return [...wanted].filter((scope) => !granted.has(scope));
  };
  const scopes = missing(grant.getOIDCScope(), requestParamOIDCScopes);
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '));
  const grantedClaims = new Set(grant.getOIDCClaims());
  const claims = [...requestParamClaims].filter((claim) => !grantedClaims.has(claim));
  if (claims.length > 0) grant.addOIDCClaims(claims);
  for (const [indicator, { scopes: offered }] of Object.entries(resourceServers ?? {})) {
    const wanted = [...requestParamScopes].filter((scope) => offered.has(scope));
    const added = missing(grant.getResourceScope(indicator), wanted);
    if (added.length > 0) grant.addResourceScope(indicator, added.join(' '));
  }
}
