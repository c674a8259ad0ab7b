/**
 * What may be said of a client, beyond what the library checks: by itself, when it registers (RFC 7591), and by operators
 * while the provider runs.
 */
import { type Configuration, errors } from 'oidc-provider';
import { isPlainLine } from '../domain/line.ts';
import { isLoopback } from '../domain/loopback.ts';
import { addedAtWord } from './client-record.ts';
import { secretsWord } from './client-secrets.ts';
import { isTooDeep } from './nesting.ts';

type ExtraClientMetadata = NonNullable<Configuration['extraClientMetadata']>;
type Metadata = Readonly<Record<string, unknown>>;
type WhyNotCalled = (address: string) => string | undefined;

/** What the operator alone says, in the clients file or by the console. */
const operatorsWords = [
  ...['first_party', 'pkce', 'assertion_audience'],
  ...['policy', 'minimum_acr', 'handoff'],
  ...[secretsWord, addedAtWord],
];
/** Where browsers are sent. */
const visitedAddresses = ['redirect_uris', 'post_logout_redirect_uris'];
/** Where we would call; whom they lead to is looked at again with each call. */
const calledAddresses = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri'];

/** @param whyNotCalled tells by the look of an address why it is never called; see web/outgoing.ts. */
export function createRegistrationRules(whyNotCalled: WhyNotCalled): ExtraClientMetadata {
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
      // What a page on the web says of itself is not said of a program under development.
      requireAcceptable(metadata, whyNotCalled, {
        mayBeLocal: metadata.application_type !== 'web',
      });
    },
  };
}

/**
 * @param mayBeLocal may people be sent to their own machine in the clear (RFC 8252 section 7.3)?
 * @throws InvalidClientMetadata
 */
export function requireAcceptable(
  metadata: Metadata,
  whyNotCalled: WhyNotCalled,
  { mayBeLocal }: { mayBeLocal: boolean },
): void {
  const { client_name: name } = metadata;
  if (typeof name === 'string' && !isPlainLine(name)) {
    throw new errors.InvalidClientMetadata('client_name is one line, without control characters');
  }
  for (const list of visitedAddresses) {
    const why = textsIn(metadata[list]).map((uri) => whyNotVisited(uri, mayBeLocal));
    const [first] = why.filter((one) => one !== undefined);
    if (first !== undefined) throw new errors.InvalidClientMetadata(`${list} ${first}`);
  }
  for (const one of calledAddresses) {
    const address = metadata[one];
    const why = typeof address === 'string' ? whyNotCalled(address) : undefined;
    if (why !== undefined) throw new errors.InvalidClientMetadata(`${one}: ${why}`);
  }
}

/** A code that travels in the clear is anybody's. The library minds that in the implicit flow alone. */
function whyNotVisited(uri: string, mayBeLocal: boolean): string | undefined {
  // Addresses are compared letter by letter: who writes a star means something that will not happen.
  if (uri.includes('*')) return 'have no wildcards';
  const url = URL.parse(uri);
  if (url && url.username + url.password !== '') return 'have no credentials';
  const isLocal = mayBeLocal && url !== null && isLoopback(url.hostname);
  return /^http:/i.test(uri) && !isLocal ? 'must be https' : undefined;
}

function textsIn(uris: unknown): string[] {
  return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string') : [];
}
