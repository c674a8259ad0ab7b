/**
 * JSON Web Tokens that come in: what each is for (RFC 8725 sections 3.9 and 3.11), beyond what the library asks. A
 * client signs its assertions and its requests with one key, and we our ID tokens and logout tokens; the `typ` tells
 * them apart, and so none is taken for another. One without a `typ` is what it is shown as: most software writes none.
 */
import { decodeProtectedHeader } from 'jose';
import { type Client, type KoaContextWithOIDC, type Provider, errors } from 'oidc-provider';

type Members = Readonly<Record<string, unknown>>;

/** By `typ`, of which RFC 7515 lets the "application/" be left out, and letters be of either case. */
function isOfType({ typ }: Members, own?: string): boolean {
  if (typ === undefined) return true;
  if (typeof typ !== 'string') return false;
  const type = typ.toLowerCase().replace(/^application\//, '');
  return type === 'jwt' || type === own;
}

/**
 * Keys come from the client's metadata, and whoever names one along with the signature would be believed by it. There
 * is no extension that a JWT needs, and one that it must not use (`b64`, RFC 7797 section 7).
 */
function isPlain(header: Members): boolean {
  return !['jku', 'jwk', 'x5u', 'crit'].some((name) => name in header);
}

/** The library would take a logout token of ours for a hint, since it too is signed, and names a person and a client. */
export function acceptOnlyIdTokensAsHints({ IdToken }: Provider): void {
  const validate = IdToken.validate.bind(IdToken);
  IdToken.validate = async (jwt, client) => {
    const header = decodeProtectedHeader(jwt);
    if (!isOfType(header) || !isPlain(header)) {
      throw new errors.InvalidRequest('id_token_hint is not an ID token');
    }
    return validate(jwt, client);
  };
}

/**
 * An assertion is for us alone: its audience is the issuer, as one string. One that also named another server could
 * be shown to us by that server. A client that can only write the token endpoint there is excepted by the operator.
 */
export function assertAssertion(
  { oidc }: KoaContextWithOIDC,
  { aud }: Members,
  header: Members,
  { assertion_audience: audience }: Client,
): void {
  const own = [oidc.issuer, ...(audience === 'token_endpoint' ? [oidc.urlFor('token')] : [])];
  if (typeof aud !== 'string' || !own.includes(aud)) {
    throw new errors.InvalidClientAuth('the audience of the assertion is not the issuer');
  }
  if (!isOfType(header, 'client-authentication+jwt') || !isPlain(header)) {
    throw new errors.InvalidClientAuth('the header is not that of an assertion');
  }
}

/** One that could pass for an assertion as well (RFC 9101 section 10.8) would hand its reader the client's identity. */
export function assertRequestObject(
  _ctx: KoaContextWithOIDC,
  { sub }: Members,
  header: Members,
  { clientId }: Client,
): void {
  if (!isOfType(header, 'oauth-authz-req+jwt') || !isPlain(header) || sub === clientId) {
    throw new errors.InvalidRequestObject('the header or "sub" is not that of a request object');
  }
}
