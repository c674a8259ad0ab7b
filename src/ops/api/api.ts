/**
 * api/ is the acts over HTTP, for programs: `/admin/v1` on the management listener. A request meets, in this order: how
 * problems are answered, the key, the act of its route, what was sent, and `perform`. There are no cookies here, and no
 * other site's page may read any of it.
 */
import Router, { type RouterContext } from '@koa/router';
import type { RequestListener } from 'node:http';
import Koa, { type Context, type Middleware } from 'koa';
import type { Hash, Random, Sleep } from '../../domain/environment.ts';
import { type ApiKeys, apiKeyName } from '../../store/api-keys.ts';
import type { Store } from '../../store/store.ts';
import { createAllowance } from '../../web/allowance.ts';
import type { Log } from '../../web/telemetry.ts';
import type { Act, Actor } from '../acts/act.ts';
import { type Perform, whyNotByKey } from '../acts/perform.ts';
import { Refusal } from '../acts/refusal.ts';
import { answerAsProblem } from './answer.ts';
import { type Answer, createIdempotency } from './idempotency.ts';
import { readJson } from './json.ts';

export const apiPath = '/admin/v1';

export const isForApi = (path: string): boolean =>
  path === apiPath || path.startsWith(`${apiPath}/`);

export interface ApiTools {
  acts: readonly Act[];
  perform: Perform;
  apiKeys: Pick<ApiKeys, 'check'>;
  store: Store;
  hash: Hash;
  random: Random;
  sleep: Sleep;
  log: Log;
}

/** Far more than a program that has its key right ever needs. */
const wrongKeysAMinute = 30;
/** Each is kept in the audit log for as long as it is: more of the same would say nothing more. */
const refusalsAMinute = 30;
const idempotencyKey = /^[\x21-\x7e]{1,255}$/;

interface Caller {
  token: string;
  actor: Actor;
}

export function createApi(tools: ApiTools): RequestListener {
  const router = new Router({ prefix: apiPath });
  const once = createIdempotency(tools);
  const spendRefusal = createAllowance({
    ...{ points: refusalsAMinute, seconds: 60 },
    usedUp: (key) => tools.log.warn('a key goes on asking for what it may not have', { key }),
  });
  for (const act of tools.acts) {
    router.register(act.path, [act.method], async (ctx) => {
      const answer = await answerOf(ctx, act, callerOf(ctx));
      ctx.status = answer.status;
      ctx.set(answer.headers);
      ctx.body = answer.body;
    });
  }
  const app = new Koa();
  app.use(answerAsProblem(tools));
  app.use(requireKey(tools));
  app.use(router.routes() as Middleware);
  app.use((ctx) => {
    const isKnown = router.match(ctx.path, ctx.method).path.length > 0;
    if (isKnown) throw new Refusal('method_not_allowed', 'there is no such act here');
    throw new Refusal('not_found', 'there is nothing at this address');
  });
  const answer = app.callback();
  return (req, res) => void answer(req, res);

  async function answerOf(ctx: RouterContext, act: Act, { token, actor }: Caller): Promise<Answer> {
    if (whyNotByKey(act, actor) !== undefined) await spendRefusal(ctx, actor.name);
    const { text, value: body } = await readJson(ctx);
    const input = {
      params: ctx.params,
      query: queryOf(ctx),
      body,
      ifVersion: versionIn(ctx.get('if-match')),
    };
    const work = async (): Promise<Answer> =>
      describe(ctx, act, await tools.perform(act, input, actor));
    const name = ctx.get('idempotency-key');
    if (name === '' || act.method !== 'POST') return work();
    if (!idempotencyKey.test(name)) {
      throw new Refusal('malformed', 'an Idempotency-Key is up to 255 visible characters');
    }
    const request = JSON.stringify([act.id, input.params, input.query, input.ifVersion, text]);
    return once({ token, name, request }, work);
  }
}

function requireKey({ apiKeys }: ApiTools): Middleware {
  const spend = createAllowance({ points: wrongKeysAMinute, seconds: 60 });
  return async function authenticate(ctx, next) {
    const [, token = ''] = /^Bearer ([\w.~+/=-]{1,200})$/i.exec(ctx.get('authorization')) ?? [];
    const key = await apiKeys.check(token);
    if (!key) {
      if (token !== '') await spend(ctx, ctx.req.socket.remoteAddress ?? '');
      throw new Refusal('unauthorized', 'it takes a key, as Authorization: Bearer dok_…');
    }
    const { scopes, expiresAtMs } = key;
    const end = expiresAtMs === undefined ? {} : { expiresAtMs };
    const actor: Actor = { kind: 'key', name: apiKeyName(key), scopes, ...end };
    (ctx.state as { caller?: Caller }).caller = { token, actor };
    await next();
  };
}

function callerOf(ctx: Context): Caller {
  const { caller } = ctx.state as { caller?: Caller };
  if (!caller) throw new Error('nobody looked at the key');
  return caller;
}

/** Each name once: of two it would not be clear which one counts. */
function queryOf(ctx: Context): Record<string, string> {
  const all = [...new URLSearchParams(ctx.querystring)];
  if (new Set(all.map(([name]) => name)).size < all.length) {
    throw new Refusal('malformed', 'something in the query is there twice');
  }
  return Object.fromEntries(all);
}

/** @returns undefined when there is none. A list, a star or a weak one names no one version. */
function versionIn(header: string): string | undefined {
  if (header === '') return undefined;
  const [, version] = /^"([\x21\x23-\x7e]{1,200})"$/.exec(header) ?? [];
  if (version === undefined) throw new Refusal('malformed', 'If-Match is one ETag, as it was sent');
  return version;
}

function describe(ctx: RouterContext, act: Act, body: Record<string, unknown>): Answer {
  const { version, next } = body;
  const headers: Record<string, string> = {};
  if (typeof version === 'string') headers['etag'] = `"${version}"`;
  if (typeof next === 'string') {
    const query = new URLSearchParams(ctx.querystring);
    query.set('cursor', next);
    headers['link'] = `<${ctx.path}?${query.toString()}>; rel="next"`;
  }
  return { status: act.status ?? 200, headers, body };
}
