/**
 * What stands before a route of an API: is this a good access token, and did its person sign in well and recently
 * enough? If not, the answer says what would do (RFC 9470), and the app can have its person sign in like that.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type JWTPayload, type JWTVerifyGetKey, errors, jwtVerify } from 'jose';

export interface ApiSettings {
  issuer: string;
  /** The identifier of this API, as the provider's clients file has it. */
  audience: string;
  /** The provider's keys; jose's `createRemoteJWKSet` fetches them. */
  keys: JWTVerifyGetKey;
}

export interface Wanted {
  scope: string;
  /**
   * Every class that will do, the one to ask for first in front. The names are compared whole: which class is as good
   * as which other one is for the reader of the provider's table to say, and not to be guessed from names.
   */
  acrValues?: readonly string[];
  /** How long ago the person may have signed in. Being signed in still is not signing in. */
  maxAgeSeconds?: number;
}

export type Handler = (req: IncomingMessage, res: ServerResponse, token: JWTPayload) => void;

/** Clocks of two machines differ. Without it, what the provider holds for fresh could be old here, and no selfie helps. */
const skewSeconds = 5;

type Answer = { token: JWTPayload } | { status: 401 | 403; challenge: Record<string, string> };

export function requireAuthentication(
  settings: ApiSettings,
  wanted: Wanted,
  handler: Handler,
): RequestListener {
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const looked = await look(req.headers.authorization, settings, wanted);
    if ('token' in looked) handler(req, res, looked.token);
    else refuse(res, looked.status, looked.challenge);
  }

  return function guarded(req, res) {
    answer(req, res).catch((error: unknown) => {
      // The keys could not be fetched, for one. Nobody is let in for that.
      process.stderr.write(`${String(error)}\n`);
      res.writeHead(503).end();
    });
  };
}

async function look(
  authorization: string | undefined,
  settings: ApiSettings,
  wanted: Wanted,
): Promise<Answer> {
  const [, value] = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '') ?? [];
  // Who sent no token is told no error (RFC 6750 section 3.1).
  if (value === undefined) return { status: 401, challenge: {} };
  const token = await verified(value, settings);
  if (!token) {
    const error_description = 'The access token is not one that is good here and now';
    return { status: 401, challenge: { error: 'invalid_token', error_description } };
  }
  const { scope, acrValues, maxAgeSeconds } = wanted;
  const scopes = typeof token.scope === 'string' ? token.scope.split(' ') : [];
  if (!scopes.includes(scope)) {
    return { status: 403, challenge: { error: 'insufficient_scope', scope } };
  }
  const lack = whatIsLacking(token, wanted);
  if (lack === undefined) return { token };
  // All that is wanted, and not what is lacking alone: or the new sign-in could lose what the old one had.
  const challenge = {
    ...{ error: 'insufficient_user_authentication', error_description: lack },
    ...(acrValues ? { acr_values: acrValues.join(' ') } : {}),
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
  };
  return { status: 401, challenge };
}

/** @returns undefined for whatever is not an access token of this issuer, for this API, by its key, and in time. */
async function verified(
  value: string,
  { issuer, audience, keys }: ApiSettings,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(value, keys, {
      ...{ issuer, audience, clockTolerance: skewSeconds },
      // An ID token or a logout token is signed by the same keys, and is none of an API's.
      typ: 'at+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
    });
    // One that is bound to a key (DPoP) is not worth anything without it, and nobody here asks for that.
    return 'cnf' in payload ? undefined : payload;
  } catch (error) {
    if (error instanceof errors.JOSEError && !areKeysAway(error)) return undefined;
    throw error;
  }
}

/** Then nothing can be said of any token: it is no reason to have people sign in. */
const areKeysAway = ({ code }: errors.JOSEError): boolean =>
  code === 'ERR_JWKS_TIMEOUT' || code === 'ERR_JOSE_GENERIC';

/** A token without these claims is a program's own, or another provider's habit: it proves nothing about a person. */
function whatIsLacking(
  { acr, auth_time: authTime }: JWTPayload,
  { acrValues, maxAgeSeconds }: Wanted,
): string | undefined {
  if (acrValues && !(typeof acr === 'string' && acrValues.includes(acr))) {
    return 'A stronger way of signing in is required';
  }
  if (maxAgeSeconds === undefined) return undefined;
  const ageSeconds = typeof authTime === 'number' ? Date.now() / 1000 - authTime : NaN;
  const isRecent = ageSeconds >= -skewSeconds && ageSeconds <= maxAgeSeconds + skewSeconds;
  return isRecent ? undefined : 'A more recent sign-in is required';
}

/** The values are ours and the operator's: no quote, no backslash, no line break. */
function refuse(res: ServerResponse, status: 401 | 403, parts: Record<string, string>): void {
  const list = Object.entries(parts).map(([name, value]) => `${name}="${value}"`);
  const challenge = ['Bearer', list.join(', ')].filter(Boolean).join(' ');
  res.writeHead(status, { 'www-authenticate': challenge, 'cache-control': 'no-store' }).end();
}
