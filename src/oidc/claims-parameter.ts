/** What the claims parameter (OpenID Connect Core 5.5) looks like: as the library has it by default, and not deep. */
import { type ClaimsParameter, errors } from 'oidc-provider';
import { isTooDeep } from './nesting.ts';

export function assertClaimsParameter(_ctx: unknown, requested: ClaimsParameter): void {
  if (isTooDeep(requested)) throw new errors.InvalidRequest('claims are nested too deeply');
  for (const container of ['userinfo', 'id_token'] as const) {
    const members: unknown[] = Object.values(requested[container] ?? {});
    if (!members.every(isNullOrObject)) {
      throw new errors.InvalidRequest(`claims.${container} members must be null or objects`);
    }
  }
}

function isNullOrObject(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value);
}
