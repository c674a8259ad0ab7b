/** The requests that are measured, against ours and the bare library alike. */
import { createHash, randomBytes } from 'node:crypto';
import { redirectUri } from '../support/testbed.ts';
import type { Server } from './process.ts';
import { type Reply, send, sendForm } from './requests.ts';

/** Does it once. @throws when the answer is not the right one: a fast refusal is no result. */
export type Work = () => Promise<void>;
export type Load = (server: Server) => Promise<Work>;

export const loads = {
  client_credentials: clientCredentials,
  introspection,
  'refresh (rotating)': refresh,
  'login, five requests': login,
} as const satisfies Record<string, Load>;

function clientCredentials(server: Server): Promise<Work> {
  return Promise.resolve(async () => {
    await token(server, { grant_type: 'client_credentials' });
  });
}

async function introspection(server: Server): Promise<Work> {
  const { access_token } = await token(server, { grant_type: 'client_credentials' });
  return async () => {
    const url = `${server.issuer}/token/introspection`;
    const reply = await sendForm(url, { token: access_token }, basic(server));
    expect(reply, 200, '"active":true');
  };
}

/** Each worker has a chain of its own: the next request sends what this one brought. */
async function refresh(server: Server): Promise<Work> {
  let { refresh_token } = await signIn(server);
  return async () => {
    ({ refresh_token } = await token(server, { grant_type: 'refresh_token', refresh_token }));
  };
}

function login(server: Server): Promise<Work> {
  return Promise.resolve(async () => {
    const { access_token } = await signIn(server);
    const headers = { authorization: `Bearer ${access_token}` };
    expect(await send(`${server.issuer}/me`, { headers }), 200, '"email":');
  });
}

interface Tokens {
  access_token: string;
  refresh_token: string;
}

/** The authorization request, the interaction (a stub on both sides), back, and the code for tokens. */
async function signIn(server: Server): Promise<Tokens> {
  const verifier = randomBytes(32).toString('base64url');
  const parameters = new URLSearchParams({
    client_id: 'first',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: randomBytes(8).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const cookies = new Map<string, string>();
  let reply = await visit(`${server.issuer}/auth?${parameters.toString()}`, cookies);
  reply = await visit(reply.location, cookies);
  reply = await visit(reply.location, cookies);
  const code = new URL(reply.location).searchParams.get('code');
  if (code === null) throw new Error(`no code came back: ${reply.location}`);
  return token(server, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
}

async function visit(url: string, cookies: Map<string, string>): Promise<Reply> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const reply = await send(url, { headers: { cookie } });
  expect(reply, 303, '');
  for (const line of reply.cookies) {
    const [pair = ''] = line.split(';', 1);
    const at = pair.indexOf('=');
    cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return reply;
}

async function token(server: Server, form: Record<string, string>): Promise<Tokens> {
  const reply = await sendForm(`${server.issuer}/token`, form, basic(server));
  expect(reply, 200, '"access_token"');
  return JSON.parse(reply.text) as Tokens;
}

function basic({ clientSecret }: Server): Record<string, string> {
  const credentials = Buffer.from(`first:${clientSecret}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}

export function expect(reply: Reply, status: number, text: string): void {
  if (reply.status === status && reply.text.includes(text)) return;
  throw new Error(`${reply.status} instead of ${status}: ${reply.text.slice(0, 300)}`);
}
