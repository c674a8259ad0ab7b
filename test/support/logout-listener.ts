/** A relying party's door for logout tokens. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LogoutListener {
  url: string;
  tokens: string[];
  /** What it answers with; undefined: nothing, ever. Of several one after the other, and the last from then on. */
  status: number | undefined | number[];
  close(): Promise<void>;
}

export async function listenForLogout(): Promise<LogoutListener> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      made.tokens.push(new URLSearchParams(body).get('logout_token') ?? '');
      const { status } = made;
      const next = Array.isArray(status) && status.length > 1 ? status.shift() : [status].flat()[0];
      if (next !== undefined) response.writeHead(next).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const made: LogoutListener = {
    ...{ url: `http://127.0.0.1:${port}`, tokens: [], status: 200 },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return made;
}
