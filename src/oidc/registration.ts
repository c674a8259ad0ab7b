/** What a client may say of itself when it registers itself (RFC 7591), beyond what the library checks. */
import { type Configuration, errors } from 'oidc-provider';

export const extraClientMetadata: NonNullable<Configuration['extraClientMetadata']> = {
  // Said by the operator alone, in the clients file.
  properties: ['first_party', 'pkce'],
  validator(ctx, key, _value, metadata) {
    // There is a request only while somebody registers; records of ours are not read through one.
    if (ctx === undefined) return;
    metadata[key] = undefined;
    refusePlainHttp(metadata);
  },
};

/** A code that travels in the clear is anybody's. The library minds that in the implicit flow alone. */
function refusePlainHttp({ application_type: type, redirect_uris: uris }: Record<string, unknown>) {
  const isPlain = (uri: unknown): boolean => typeof uri === 'string' && /^http:/i.test(uri);
  if (type === 'web' && Array.isArray(uris) && uris.some(isPlain)) {
    throw new errors.InvalidRedirectUri('redirect_uris of web clients must be https');
  }
}
