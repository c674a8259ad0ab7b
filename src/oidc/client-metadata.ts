/** What operators may say of a client over the console, the API and the commands: OpenID client metadata, and our words. */
import { z } from 'zod';
import { acr } from '../domain/assurance.ts';
import { isPlainLine } from '../domain/line.ts';

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine(isPlainLine, 'is one line, without control characters');
const address = z.url('Write the whole address, beginning with https://').max(2000);
/** Compared letter by letter: who writes a star means something that will not happen. */
const redirect = address.refine(
  (uri) => !uri.includes('*'),
  'redirect addresses have no wildcards',
);
const algorithm = z.string().max(20);

/** The operator's words, as in the clients file; see clients.ts. */
const ours = {
  first_party: z.boolean().optional(),
  pkce: z.enum(['required', 'optional']).optional(),
  assertion_audience: z.enum(['issuer', 'token_endpoint']).optional(),
  /** The name of a policy that is in force for all or for a client of the file, or of a shipped one. */
  policy: z.string().min(1).max(100).optional(),
  minimum_acr: z.enum(Object.values(acr)).optional(),
  handoff: z.boolean().optional(),
};

const metadata = {
  client_name: name,
  redirect_uris: z.array(redirect).max(50).default([]),
  post_logout_redirect_uris: z.array(redirect).max(50).optional(),
  application_type: z.enum(['web', 'native']).optional(),
  token_endpoint_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
    .default('client_secret_basic'),
  token_endpoint_auth_signing_alg: algorithm.optional(),
  grant_types: z
    .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials']))
    .default(['authorization_code']),
  response_types: z.array(z.literal('code')).max(1).optional(),
  scope: z.string().max(1000).optional(),
  subject_type: z.enum(['public', 'pairwise']).optional(),
  sector_identifier_uri: address.optional(),
  jwks_uri: address.optional(),
  jwks: z.strictObject({ keys: z.array(z.record(z.string(), z.unknown())).max(20) }).optional(),
  client_uri: address.optional(),
  logo_uri: address.optional(),
  policy_uri: address.optional(),
  tos_uri: address.optional(),
  contacts: z.array(z.string().max(254)).max(10).optional(),
  initiate_login_uri: address.optional(),
  backchannel_logout_uri: address.optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  default_max_age: z.int().min(0).optional(),
  default_acr_values: z.array(z.string().max(100)).max(10).optional(),
  require_auth_time: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
  require_signed_request_object: z.boolean().optional(),
  request_object_signing_alg: algorithm.optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  id_token_signed_response_alg: algorithm.optional(),
  userinfo_signed_response_alg: algorithm.optional(),
  introspection_signed_response_alg: algorithm.optional(),
  ...ours,
};

/** Letters that need no escape in a path, a shell or a log. */
export const clientId = z
  .string()
  .regex(/^[A-Za-z0-9][\w.~-]{0,63}$/, 'letters, digits and . _ ~ -, of 64 at most');

export const newClient = z.strictObject({ client_id: clientId.optional(), ...metadata });
/** All of it anew: what is left out is as if it had never been said. */
export const changedClient = z.strictObject(metadata);

export type ClientFields = z.output<typeof changedClient>;
export const clientFields = Object.keys(metadata) as (keyof ClientFields)[];
