/** The smallest reverse proxy: to whichever server the test says, and not before it says so. */
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, createServer, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Proxy {
  port: number;
  close(): Promise<void>;
}

/** Where nobody is at home, another server is asked for, so often. */
const mostTries = 5;

/** @param choose the port to hand a request to; as long as it does not answer, the request is held. */
export async function startProxy(
  port: number,
  choose: (request: IncomingMessage) => number | Promise<number>,
): Promise<Proxy> {
  const server = createServer((message, response) => {
    async function hand(body: Buffer, tries: number): Promise<void> {
      const onward = requestTo(await choose(message), message);
      onward.on('error', (error) => {
        const nobody = 'code' in error && error.code === 'ECONNREFUSED';
        if (nobody && tries < mostTries) void hand(body, tries + 1);
        else response.destroy();
      });
      onward.on('response', (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        // Said at once, for an event stream has no first byte to wait for.
        response.flushHeaders();
        answer.pipe(response);
      });
      response.on('close', () => onward.destroy());
      onward.end(body);
    }
    buffer(message).then(
      (body) => hand(body, 1),
      () => response.destroy(),
    );
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A connection of its own: one that is kept may be closed by a server that stops, just when it is used again. */
function requestTo(port: number, { method, url, headers, socket }: IncomingMessage): ClientRequest {
  const forwarded = { ...headers, 'x-forwarded-for': socket.remoteAddress };
  return request({ port, method, path: url, headers: forwarded, agent: false });
}
