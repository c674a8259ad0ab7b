/** A load generator's HTTP: connections that are kept, no redirect followed, as little work as possible. */
import { Agent } from 'undici';

const dispatcher = new Agent({ pipelining: 1, connections: 64, keepAliveTimeout: 60_000 });

export interface Reply {
  status: number;
  location: string;
  cookies: string[];
  text: string;
}

export async function send(
  url: string,
  init: { method?: 'GET' | 'POST'; headers?: Record<string, string>; body?: string } = {},
): Promise<Reply> {
  const { origin, pathname, search } = new URL(url);
  const { method = 'GET', headers = {}, body = null } = init;
  const response = await dispatcher.request({
    origin,
    path: pathname + search,
    ...{ method, headers, body },
  });
  const { location, 'set-cookie': cookies } = response.headers;
  return {
    status: response.statusCode,
    location: new URL(String(location ?? ''), url).href,
    cookies: [cookies ?? []].flat(),
    text: await response.body.text(),
  };
}

export function sendForm(
  url: string,
  form: Record<string, string>,
  headers: Record<string, string>,
): Promise<Reply> {
  return send(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
}

export function closeConnections(): Promise<void> {
  return dispatcher.destroy();
}
