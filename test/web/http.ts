/** A real server for one listener, and requests whose every header is the test's own. */
import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface Asked {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
  /** Without a length that is known beforehand. */
  chunked?: boolean;
}

export interface Served {
  port: number;
  ask(asked: Asked): Promise<Answer>;
  /** Sends these bytes as they are. @returns the first line of the answer. */
  askRaw(bytes: string): Promise<string>;
}

/** Serves until the test is over. */
export async function serve(listener: RequestListener, host = '127.0.0.1'): Promise<Served> {
  const server = createServer(listener).listen(0, host);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async ask({ method = 'GET', path = '/', headers = {}, body, chunked }) {
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers });
      if (chunked) outgoing.write(body);
      outgoing.end(chunked ? undefined : body);
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      return {
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        body: await text(incoming),
      };
    },
    async askRaw(bytes) {
      const socket = connect(port, '127.0.0.1');
      socket.end(bytes);
      return (await text(socket)).split('\r\n')[0] ?? '';
    },
  };
}
