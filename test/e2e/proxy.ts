/** The smallest reverse proxy: to whichever server the test says, and not before it says so. */
import { once } from 'node:events';
import { type IncomingMessage, createServer, request as httpRequest } from 'node:http';

export interface Proxy {
  port: number;
  close(): Promise<void>;
}

/** @param choose the port to hand a request to; as long as it does not answer, the request is held. */
export async function startProxy(
  port: number,
  choose: (request: IncomingMessage) => number | Promise<number>,
): Promise<Proxy> {
  const server = createServer((request, response) => {
    void Promise.resolve(choose(request)).then((target) => {
      const { method, url: path, headers, socket } = request;
      const forwarded = { ...headers, 'x-forwarded-for': socket.remoteAddress };
      const onward = httpRequest({ port: target, method, path, headers: forwarded }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        // Said at once, for an event stream has no first byte to wait for.
        response.flushHeaders();
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
    });
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
