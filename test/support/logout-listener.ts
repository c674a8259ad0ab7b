/** A relying party's door for logout tokens. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LogoutListener {
  url: string;
  tokens: string[];
  /** What it answers with; undefined: nothing, ever. */
  status: number | undefined;
  close(): Promise<void>;
}

export async function listenForLogout(): Promise<LogoutListener> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      made.tokens.push(new URLSearchParams(body).get('logout_token') ?? '');
      if (made.status !== undefined) response.writeHead(made.status).end();
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
