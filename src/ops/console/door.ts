/**
 * Who may reach the console at all: only under its own name. Another name that leads here is how a page on the web would
 * reach into this machine (DNS rebinding), but for the loopback's other names, which are sent to the right one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../../domain/loopback.ts';

const longestUrl = 8 * 1024;

/** @returns a guard that answers itself and returns false, or mends the request and returns true. */
export function createConsoleDoor(
  origin: string,
): (req: IncomingMessage, res: ServerResponse) => boolean {
  const { host, hostname, port, protocol } = new URL(origin);
  return function admit(req, res) {
    const { url = '', headers } = req;
    const isOurs = headers.host === host && url.startsWith('/');
    if (isOurs && url.length <= longestUrl) {
      for (const name of Object.keys(headers)) {
        if (name === 'forwarded' || name.startsWith('x-forwarded-')) headers[name] = undefined;
      }
      // We speak plain HTTP; whether the browser does is what the origin says.
      headers['x-forwarded-proto'] = protocol.slice(0, -1);
      headers['x-forwarded-host'] = host;
      return true;
    }
    const named = URL.parse(`http://${headers.host ?? ''}`);
    const isOtherName = named !== null && named.port === port && isLoopback(named.hostname);
    const mayBeSent = req.method === 'GET' && url.startsWith('/') && url.length <= longestUrl;
    if (isOtherName && isLoopback(hostname) && mayBeSent) {
      res.writeHead(307, { location: `${origin}${url}`, 'cache-control': 'no-store' }).end();
      return false;
    }
    res.writeHead(isOurs ? 414 : 421, {
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    res.end(isOurs ? 'This address is too long.\n' : 'This address is not served here.\n');
    return false;
  };
}
