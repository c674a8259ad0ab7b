/** What a client may say of itself when it registers itself (RFC 7591), beyond what the library checks. */
import { type Configuration, errors } from 'oidc-provider';
import { isTooDeep } from './nesting.ts';

type ExtraClientMetadata = NonNullable<Configuration['extraClientMetadata']>;
type Metadata = Readonly<Record<string, unknown>>;

/** What the operator alone says, in the clients file. */
const operatorsWords = [
  ...['first_party', 'pkce', 'assertion_audience'],
  ...['policy', 'minimum_acr', 'handoff'],
];
/** Where we would call; whom they lead to is looked at again with each call. */
const calledAddresses = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri'];

/** @param whyNotCalled tells by the look of an address why it is never called; see web/outgoing.ts. */
export function createRegistrationRules(
  whyNotCalled: (address: string) => string | undefined,
): ExtraClientMetadata {
  return {
    properties: operatorsWords,
    validator(ctx, key, _value, metadata) {
      // There is a request only while somebody registers; records of ours are not read through one.
      if (ctx === undefined) return;
      metadata[key] = undefined;
      // Once is enough, before the library's own checks.
      if (key !== operatorsWords[0]) return;
      if (isTooDeep(metadata)) {
        throw new errors.InvalidClientMetadata('client metadata is nested too deeply');
      }
      refusePlainHttp(metadata);
      refuseWildcards(metadata);
      for (const name of calledAddresses) {
        const address = metadata[name];
        const why = typeof address === 'string' ? whyNotCalled(address) : undefined;
        if (why !== undefined) throw new errors.InvalidClientMetadata(`${name}: ${why}`);
      }
    },
  };
}

/** A code that travels in the clear is anybody's. The library minds that in the implicit flow alone. */
function refusePlainHttp({ application_type: type, redirect_uris: uris }: Metadata) {
  if (type === 'web' && textsIn(uris).some((uri) => /^http:/i.test(uri))) {
    throw new errors.InvalidClientMetadata('redirect_uris of web clients must be https');
  }
}

/** Addresses are compared letter by letter: who writes a star means something that will not happen. */
function refuseWildcards({ redirect_uris: uris }: Metadata) {
  if (textsIn(uris).some((uri) => uri.includes('*'))) {
    throw new errors.InvalidClientMetadata('redirect_uris have no wildcards');
  }
}

function textsIn(uris: unknown): string[] {
  return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
}
