/** An API with two routes: one for anybody who is signed in, one for who has just shown a face. See README.md. */
import { createServer } from 'node:http';
import { createRemoteJWKSet } from 'jose';
import { type Handler, requireAuthentication } from './require-authentication.ts';

const { ISSUER = '', AUDIENCE = '', ENOUGH = '', MAX_AGE = '300', PORT = '3004' } = process.env;

const metadata = await fetch(`${ISSUER}/.well-known/openid-configuration`);
const { jwks_uri: jwksUri } = (await metadata.json()) as { jwks_uri: string };
const api = { issuer: ISSUER, audience: AUDIENCE, keys: createRemoteJWKSet(new URL(jwksUri)) };

const say =
  (what: string): Handler =>
  (_, res, { sub, acr, auth_time }) =>
    void res
      .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(JSON.stringify({ what, sub, acr, auth_time }));

const routes = new Map([
  ['GET /notes', requireAuthentication(api, { scope: 'notes' }, say('notes'))],
  [
    'GET /vault',
    requireAuthentication(
      api,
      { scope: 'notes', acrValues: ENOUGH.split(' '), maxAgeSeconds: Number(MAX_AGE) },
      say('vault'),
    ),
  ],
]);

const server = createServer((req, res) => {
  const route = routes.get(`${req.method ?? ''} ${req.url ?? ''}`);
  if (route) route(req, res);
  else res.writeHead(404).end();
});
server.listen(Number(PORT), '127.0.0.1', () =>
  process.stdout.write(`api on http://localhost:${PORT}\n`),
);
