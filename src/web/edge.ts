/**
 * web/ is what every HTTP answer has in common: who may reach us (edge), headers, forms, problems, pages, assets,
 * the log. It knows no flow.
 *
 * The edge is the first thing that a request meets. The library builds addresses from the Host header and trusts
 * forwarded headers once it is told to, so both are settled here: only the issuer's own host is served, and the
 * forwarded headers that came in are replaced by what the configured proxies really said.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** How many proxies stand in front, or which addresses they have; `false`: none. */
export type TrustProxy = false | number | readonly string[];

export type Edge = (req: IncomingMessage, res: ServerResponse) => boolean;

/** A request with a signed request object is the longest that there is reason for. */
const longestUrl = 8 * 1024;

const traceHeaders = ['traceparent', 'tracestate', 'baggage'];

/** @returns a guard that answers 421 or 414 itself and returns false, or mends the request and returns true. */
export function createEdge(issuer: string, trustProxy: TrustProxy): Edge {
  const { host, protocol } = new URL(issuer);
  const isTrusted = createTrust(trustProxy);
  const clientAddress = createClientAddress(isTrusted);
  return function admit(req, res) {
    // A whole address in the request line would take the host's place in what is built from it.
    if (req.headers.host !== host || !req.url?.startsWith('/')) {
      return turnAway(res, 421, 'This address is not served here.\n');
    }
    if (req.url.length > longestUrl) {
      return turnAway(res, 414, 'This address is too long.\n');
    }
    const address = clientAddress(req);
    for (const name of Object.keys(req.headers)) {
      if (name === 'forwarded' || name.startsWith('x-forwarded-')) req.headers[name] = undefined;
    }
    // A visitor must not choose the id under which the log and the traces have the request.
    if (!isTrusted(req.socket.remoteAddress ?? '', 0)) {
      for (const name of traceHeaders) req.headers[name] = undefined;
    }
    req.headers['x-forwarded-for'] = address;
    req.headers['x-forwarded-host'] = host;
    // We speak plain HTTP; whether the browser does is what the issuer says.
    req.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    return true;
  };
}

/** Nothing of the application has run yet, so the headers that every answer has are set here, too. */
function turnAway(res: ServerResponse, status: number, text: string): false {
  res.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  res.end(text);
  return false;
}

function createClientAddress(
  isTrusted: (address: string, hop: number) => boolean,
): (req: IncomingMessage) => string {
  return function clientAddress(req) {
    const peer = req.socket.remoteAddress ?? '';
    const forwarded = (req.headers['x-forwarded-for'] ?? '')
      .toString()
      .split(',')
      .map((entry) => entry.trim())
      .reverse();
    // What is no address ends the list: skipped, it would give its place to a forged entry.
    const end = forwarded.findIndex((entry) => isIP(entry) === 0);
    // From the nearest hop outwards: the first address that is not a proxy of ours is the client's.
    const path = [peer, ...(end === -1 ? forwarded : forwarded.slice(0, end))];
    const client = path.findIndex((address, hop) => !isTrusted(address, hop));
    return path[client === -1 ? path.length - 1 : client] ?? peer;
  };
}

function createTrust(trustProxy: TrustProxy): (address: string, hop: number) => boolean {
  if (trustProxy === false) return () => false;
  if (typeof trustProxy === 'number') return (_address, hop) => hop < trustProxy;
  const ranges = trustProxy.map((range) =>
    range.includes('/')
      ? ipaddr.parseCIDR(range)
      : ([ipaddr.parse(range), ipaddr.parse(range).kind() === 'ipv4' ? 32 : 128] as const),
  );
  return (address) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(
      ([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits),
    );
  };
}
