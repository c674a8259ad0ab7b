/** What is known of an app, in words. */
import { acr } from '../../../domain/assurance.ts';
import type { Choice } from '../page.ts';

/** What a sign-in to an app can be asked to be at least. */
export const classes: readonly Choice[] = [
  ['', 'nothing beyond the policy'],
  [acr.fallback, 'codes that are typed'],
  [acr.selfieHandoff, 'a selfie, on a phone beside it too'],
  [acr.device, 'a browser that is known'],
  [acr.selfie, 'a selfie'],
  [acr.selfieDevice, 'a selfie in a browser that is known'],
  [acr.selfieActive, 'a selfie with movement'],
  [acr.passkey, 'a passkey'],
];

const labels: Readonly<Record<string, string>> = {
  client_name: 'Name',
  redirect_uris: 'Redirect addresses',
  post_logout_redirect_uris: 'Addresses after signing out',
  first_party: 'Is it ours?',
  handoff: 'Selfie on a phone',
  policy: 'Policy',
  minimum_acr: 'At least',
  token_endpoint_auth_method: 'Proves who it is',
  grant_types: 'May get tokens by',
  response_types: 'Is answered with',
  application_type: 'Kind of app',
  pkce: 'PKCE',
  scope: 'Scopes',
};

const spoken: Readonly<Record<string, string>> = {
  client_secret_basic: 'with its secret, in a header',
  client_secret_post: 'with its secret, in the form',
  private_key_jwt: 'with a key of its own',
  none: 'not at all: it keeps no secret',
  authorization_code: 'a sign-in',
  refresh_token: 'a refresh token',
  client_credentials: 'its own secret, without anybody signing in',
  code: 'a code',
};

const ofSwitches: Readonly<Record<string, readonly [yes: string, no: string]>> = {
  first_party: ['yes: nobody is asked for consent', 'no: people are asked for consent'],
  handoff: ['may be taken there', 'may not be taken there'],
};

export interface Known {
  label: string;
  values: readonly string[];
}

export function inWords(metadata: Readonly<Record<string, unknown>>): Known[] {
  return Object.entries(metadata)
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(([key, value]) => {
      const spaced = key.replaceAll('_', ' ');
      const label = labels[key] ?? spaced.charAt(0).toUpperCase() + spaced.slice(1);
      return { label, values: Array.isArray(value) ? value.map(textOf) : [valueOf(key, value)] };
    });
}

function valueOf(key: string, value: unknown): string {
  const [yes, no] = ofSwitches[key] ?? ['yes', 'no'];
  if (typeof value === 'boolean') return value ? yes : no;
  const known = key === 'minimum_acr' ? classes.find(([name]) => name === value) : undefined;
  return known ? `${known[1]} (${known[0]})` : textOf(value);
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return spoken[value] ?? value;
}
