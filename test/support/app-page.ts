/** An app that is one page: people come back to it, and it tells what they brought and what else was asked of it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface AppPage {
  url: string;
  callback: string;
  /** The answers of the provider, newest last, by whichever response mode. */
  answers: URLSearchParams[];
  /** Every other address that was asked for. */
  asked: string[];
  close(): Promise<void>;
}

export async function openAppPage(): Promise<AppPage> {
  const [asked, answers]: [string[], URLSearchParams[]] = [[], []];
  const server = createServer((request, response) => {
    const { url = '', method } = request;
    const { pathname, searchParams } = new URL(url, 'http://app/');
    void text(request).then((body) => {
      if (pathname === '/callback') {
        answers.push(method === 'POST' ? new URLSearchParams(body) : searchParams);
      } else asked.push(url);
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><link rel="icon" href="data:,"><h1>The app</h1>');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ asked, answers, url: `http://127.0.0.1:${port}` },
    callback: `http://localhost:${port}/callback`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
