/**
 * Every request that we make to an address that somebody else chose: what a relying party registered (key sets,
 * sector identifiers, logout), and where Didit says that a picture lies. Such an address may name a machine inside our network, or a name that leads there, today or a moment after we looked.
 *
 * So the address is looked up once, here, and what is connected to is what was looked at. Only public addresses are
 * called, over https, without redirects, for a few seconds and a few kilobytes, and through no proxy of the
 * environment. What an operator wrote down for a client of their own is excepted, for exactly the addresses of that
 * client.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { type LookupFunction, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, type RequestInit as SendInit, fetch as undiciFetch } from 'undici';

export type Fetch = typeof globalThis.fetch;

export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface OutgoingRules {
  /** For tests and demos on one machine: any address, and plain http. */
  anywhere: boolean;
  /** Of an address in full: the private hosts (names) and networks (CIDR) that it may lead to. */
  exceptions: ReadonlyMap<string, readonly string[]>;
  /** Few and small, unless something larger is meant to come. */
  timeoutMs?: number;
  longestAnswerBytes?: number;
  resolve?: Resolve;
}

/** Thrown before anything was sent. Its message names no address: it may be told to whoever registered it. */
export class AddressRefused extends Error {
  constructor(why: string) {
    super(`the address is not called: ${why}`);
    this.name = 'AddressRefused';
  }
}

/** Two implementations of one standard, whose types do not know of each other. */
const send = undiciFetch as unknown as (url: URL, init: SendInit) => Promise<Response>;

const resolveBySystem: Resolve = (hostname, done) => {
  systemLookup(hostname, { all: true }, done);
};

export function createOutgoing({
  anywhere,
  exceptions,
  timeoutMs = 2_500,
  longestAnswerBytes = 64 * 1024,
  resolve = resolveBySystem,
}: OutgoingRules) {
  const agents = new Map<string, Agent>();

  const outgoing: Fetch = async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const allowed = exceptions.get(url.href) ?? [];
    const mayCall = (hostname: string, address: string): boolean =>
      anywhere || isPublic(address) || isExcepted(allowed, hostname, address);
    const why = whyNotByItsLook(url, mayCall, anywhere || allowed.length > 0);
    if (why !== undefined) throw new AddressRefused(why);
    const signals = [AbortSignal.timeout(timeoutMs), ...(init.signal ? [init.signal] : [])];
    // The library brings a guard of its own, which looks after the connection was made.
    const { dispatcher: _, ...options }: object & { dispatcher?: unknown } = init;
    const response = await send(url, {
      ...options,
      redirect: 'error',
      signal: AbortSignal.any(signals),
      dispatcher: agentFor(JSON.stringify(allowed), mayCall),
    }).catch((error: unknown) => {
      throw reasonBelow(error);
    });
    return response;
  };

  /** One for each set of exceptions: a connection that is kept open was made under its rules. */
  function agentFor(key: string, mayCall: (hostname: string, address: string) => boolean): Agent {
    const agent =
      agents.get(key) ??
      new Agent({
        connect: { lookup: guarded(resolve, mayCall), timeout: timeoutMs },
        maxResponseSize: longestAnswerBytes,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
    agents.set(key, agent);
    return agent;
  }

  return {
    fetch: outgoing,
    /** For whoever writes an address down; a name shows where it leads only when it is called. */
    whyNotCalled: (address: string): string | undefined => {
      const url = URL.parse(address);
      if (!url) return 'it is no address';
      // This name means the machine itself, whoever is asked (RFC 6761 section 6.3).
      if (!anywhere && /^(.*\.)?localhost\.?$/.test(url.hostname)) return intoPrivate;
      const mayCall = (_hostname: string, ip: string): boolean => anywhere || isPublic(ip);
      return whyNotByItsLook(url, mayCall, anywhere);
    },
    /** The guard itself, tried: a provider that could be turned against its own network does not start. */
    async test(): Promise<void> {
      if (anywhere) return;
      for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost']) {
        const refused = await outgoing(`https://${host}/`).then(
          () => false,
          (error: unknown) => error instanceof AddressRefused,
        );
        if (!refused) throw new Error(`outgoing requests to ${host} are not refused`);
      }
    },
    close: () => Promise.all([...agents.values()].map((agent) => agent.close())),
  };
}

const intoPrivate = 'it leads into a private network';

/** What can be said before a name is looked up. */
function whyNotByItsLook(
  { protocol, username, password, hostname: written }: URL,
  mayCall: (hostname: string, address: string) => boolean,
  mayBePlain: boolean,
): string | undefined {
  const hostname = written.replace(/^\[|\]$/g, '');
  if (protocol !== 'https:' && !(mayBePlain && protocol === 'http:')) return 'it is not https';
  if (username !== '' || password !== '') return 'it has credentials';
  // A literal address is never looked up.
  return isIP(hostname) !== 0 && !mayCall(hostname, hostname) ? intoPrivate : undefined;
}

/** Every address that the name leads to must be allowed; and those that were looked at are the ones that are used. */
function guarded(
  resolve: Resolve,
  mayCall: (hostname: string, address: string) => boolean,
): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, (error, addresses) => {
      const [first] = addresses;
      if (error || !first) done(error ?? refusedAsPrivate(), [], 0);
      else if (!addresses.every(({ address }) => mayCall(hostname, address))) {
        done(refusedAsPrivate(), [], 0);
      } else if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

const refusedAsPrivate = (): AddressRefused => new AddressRefused(intoPrivate);

/** Of the client's wrapping, only what we threw ourselves is of interest. */
function reasonBelow(error: unknown): unknown {
  const { cause } = error as { cause?: unknown };
  return cause instanceof AddressRefused ? cause : error;
}

/** Global unicast, and of IPv6 only what has been given out so far (2000::/3). */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' || parsed.match(ipaddr.parseCIDR('2000::/3'));
}

function isExcepted(allowed: readonly string[], hostname: string, address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return allowed.some((entry) => {
    if (!entry.includes('/')) return entry.toLowerCase() === hostname.toLowerCase();
    const [range, bits] = ipaddr.parseCIDR(entry);
    return range.kind() === parsed.kind() && parsed.match(range, bits);
  });
}
