/** The console as the provider knows it: one more relying party of the house. */
import type { ClientMetadata } from 'oidc-provider';
import { type OwnClientId, ownClientMetadata } from '../../oidc/own-client.ts';

export const consoleClientId: OwnClientId = 'console';

export const redirectUriAt = (origin: string): string => `${origin}/console/callback`;

export function consoleClient(origin: string, operator: string): ClientMetadata {
  const name = `${operator}: console`;
  return ownClientMetadata(consoleClientId, { name, redirectUri: redirectUriAt(origin) });
}
