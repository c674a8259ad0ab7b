/** What every API call goes through: the journal, the key, the faults, the body, Didit's way of saying no. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Middleware, Next } from 'koa';
import getRawBody from 'raw-body';
import { readCanonicalJson } from '../didit/canonical.ts';
import type { ApiFault, Faults, Operation } from './faults.ts';
import type { Journal } from './journal.ts';
import type { DiditEnvironment, SimulatorSettings } from './options.ts';
import type { State } from './state.ts';

export interface CallState {
  environment: DiditEnvironment;
  body: unknown;
}

/** A portrait of 2 MB in base64, and room for the rest. */
const bodyBytesMax = 4 * 1024 * 1024;

export type Guard = (
  operation: Operation,
  options?: { isPublic: boolean },
) => Middleware<CallState>;

export function createGuard(parts: {
  settings: SimulatorSettings;
  state: State;
  faults: Faults;
  journal: Journal;
}): Guard {
  const { settings, state, faults, journal } = parts;
  const environments = new Map<string, DiditEnvironment>([
    ...(settings.apiKeys.live ?? []).map((key) => [key, 'live'] as const),
    ...(settings.apiKeys.sandbox ?? []).map((key) => [key, 'sandbox'] as const),
  ]);

  return (operation, { isPublic } = { isPublic: false }) =>
    async function guard(ctx, next) {
      const fault = faults.takeForCall(operation);
      const environment = environments.get(ctx.get('x-api-key'));
      ctx.state.environment = environment ?? 'live';
      try {
        if (fault !== undefined && (await strike(fault, ctx, state))) return;
        if (!isPublic && environment === undefined) {
          refuse(ctx, 403, { detail: 'You do not have permission to perform this action.' });
        } else if (await readBody(ctx)) {
          await next();
        }
        if (fault !== undefined) garble(fault, ctx, state);
      } finally {
        const { method, path, status } = ctx;
        const mode = fault === undefined ? null : String(fault.mode);
        const call = { operation, method, path, status, fault: mode, bodyFields: fieldsOf(ctx) };
        journal.addCall(call, ctx.headers);
      }
    };
}

/** Didit redirects a path without its slash, and the key is lost on the way. */
export async function redirectToSlash(ctx: Context, next: Next): Promise<void> {
  if (!/^\/v\d\/.*[^/]$/.test(ctx.path)) {
    await next();
    return;
  }
  ctx.redirect(`${ctx.path}/${ctx.search}`);
  ctx.status = 301;
}

export function refuse(ctx: Context, status: number, body: object): void {
  ctx.status = status;
  ctx.body = body;
}

export function refuseUnknown(ctx: Context): void {
  refuse(ctx, 404, { detail: 'Not found.' });
}

/** `{count, next, previous, results}`, the frame of all of Didit's lists. */
export function page(ctx: Context, all: readonly object[]): object {
  const number = (name: string, otherwise: number) => {
    const value = Number(ctx.URL.searchParams.get(name) ?? otherwise);
    return Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
  };
  const limit = Math.min(number('limit', 50), 200);
  const offset = number('offset', 0);
  const link = (to: number) => {
    const url = new URL(ctx.href);
    url.searchParams.set('limit', String(limit));
    url.searchParams.set('offset', String(to));
    return url.href;
  };
  return {
    count: all.length,
    next: offset + limit < all.length ? link(offset + limit) : null,
    previous: offset > 0 ? link(Math.max(0, offset - limit)) : null,
    results: all.slice(offset, offset + limit),
  };
}

async function readBody(ctx: Context & { state: CallState }): Promise<boolean> {
  let text: string;
  try {
    text = await getRawBody(ctx.req, { limit: bodyBytesMax, encoding: 'utf8' });
  } catch {
    refuse(ctx, 413, { detail: 'Request body too large.' });
    return false;
  }
  // Metadata comes back in webhooks, so it has to be readable by the rules that hold there.
  const json = readCanonicalJson(text === '' ? '{}' : text);
  if (json.ok) ctx.state.body = json.value;
  else refuse(ctx, 400, { detail: `JSON parse error - ${json.reason}` });
  return json.ok;
}

function fieldsOf(ctx: { state: CallState }): string[] {
  const { body } = ctx.state;
  return typeof body === 'object' && body !== null ? Object.keys(body) : [];
}

/** Faults that come before the call is carried out. @returns whether it has been answered. */
async function strike(fault: ApiFault, ctx: Context, state: State): Promise<boolean> {
  switch (fault.mode) {
    case 429:
      ctx.set('Retry-After', '1');
      ctx.set('X-RateLimit-Limit', '600');
      ctx.set('X-RateLimit-Remaining', '0');
      ctx.set('X-RateLimit-Reset', String(Math.ceil(state.now() / 1000) + 1));
      refuse(ctx, 429, { detail: 'Rate limit exceeded. Expected available in 1 second.' });
      return true;
    case 500:
    case 503:
      refuse(ctx, fault.mode, { detail: 'A simulated fault.' });
      return true;
    case 502:
      ctx.status = 502;
      ctx.body = '<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1></html>';
      return true;
    case 'redirect':
      ctx.redirect('/elsewhere/');
      return true;
    case 'reset':
      ctx.respond = false;
      ctx.req.socket.destroy();
      return true;
    case 'slow':
      await pause(fault.delayMs, undefined, { ref: false });
      return false;
    case 'truncate':
    case 'malformed':
    case 'other_session':
      return false;
  }
}

/** Faults of the answer: the call has been carried out, its answer does not arrive as it should. */
function garble(fault: ApiFault, ctx: Context, state: State): void {
  const { body } = ctx;
  const isJson = !Buffer.isBuffer(body);
  const bytes = isJson ? Buffer.from(JSON.stringify(body ?? {})) : body;
  const type = isJson ? 'application/json' : 'image/png';
  if (fault.mode === 'malformed') {
    ctx.body = bytes.subarray(0, -1);
    ctx.type = type;
  }
  if (fault.mode === 'other_session') {
    const other = { session_id: state.newId(), vendor_data: 'somebody-else' };
    ctx.body = { ...(body as object), ...other };
  }
  if (fault.mode === 'truncate') {
    ctx.respond = false;
    ctx.res.writeHead(ctx.status, { 'Content-Type': type, 'Content-Length': bytes.length });
    ctx.res.write(bytes.subarray(0, bytes.length / 2), () => ctx.req.socket.destroy());
  }
}
