/** What is noted of each request: one line in the log, a span, a number, and in the demo how long each part took. */
import type { Context, Middleware } from 'koa';
import type { Metrics } from './metrics.ts';
import { type Scope, currentScope } from './scope.ts';
import type { Spans } from './spans.ts';
import type { Log } from './telemetry.ts';

export interface ObserveTools {
  log: Log;
  now: () => number;
  metrics?: Pick<Metrics, 'requestTook'>;
  spans?: Spans | undefined;
  /** For whoever looks on: how long a part takes tells names that lead to an account from others. */
  showTimings?: boolean;
}

export function observeRequests(tools: ObserveTools): Middleware {
  const { spans } = tools;
  if (!spans) return (ctx, next) => observe(tools, ctx, next);
  return (ctx, next) =>
    spans.serve(ctx.req.headers, async (span) => {
      const scope = currentScope();
      // One id, whether somebody reads the log or the trace.
      if (scope) scope.id = span.spanContext().traceId;
      await observe(tools, ctx, next);
      const route = routeOf(ctx);
      span.updateName(`${ctx.method} ${route}`);
      span.setAttributes({
        'http.request.method': ctx.method,
        'http.route': route,
        'http.response.status_code': ctx.status,
      });
    });
}

/** One line a request: what was asked of us and how long it took, without the address itself. */
async function observe(
  { log, now, metrics, showTimings }: ObserveTools,
  ctx: Context,
  next: () => Promise<unknown>,
): Promise<void> {
  const startedMs = now();
  await next();
  const durationMs = now() - startedMs;
  const route = routeOf(ctx);
  const scope = currentScope();
  metrics?.requestTook(route, ctx.status, durationMs);
  if (showTimings && scope && !ctx.headerSent) {
    ctx.set('server-timing', timings(scope, durationMs));
  }
  const { reference } = ctx.state as { reference?: string };
  log.info('request', {
    method: ctx.method,
    route,
    status: ctx.status,
    durationMs: rounded(durationMs),
    reference,
    attempt: scope?.attempt,
  });
}

/** The pattern of the address, never the address. */
function routeOf(ctx: Context): string {
  const { routerPath, oidc } = ctx as { routerPath?: string; oidc?: { route?: string } };
  const { route } = ctx.state as { route?: string };
  return oidc?.route ?? routerPath ?? route ?? 'none';
}

function timings({ spentMs }: Scope, totalMs: number): string {
  const parts = { ...spentMs, total: totalMs };
  return Object.entries(parts)
    .map(([part, ms]) => `${part};dur=${rounded(ms)}`)
    .join(', ');
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10;
