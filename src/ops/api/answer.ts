/** How the API says no: RFC 9457, with the codes that stand in the log as well. */
import type { Context, Middleware } from 'koa';
import { STATUS_CODES } from 'node:http';
import type { Random } from '../../domain/environment.ts';
import { Problem } from '../../domain/problem.ts';
import { StoreUnavailable } from '../../store/store.ts';
import { newReference } from '../../web/respond.ts';
import type { Log } from '../../web/telemetry.ts';
import { Refusal } from '../acts/refusal.ts';

export function answerAsProblem({ log, random }: { log: Log; random: Random }): Middleware {
  return async function answer(ctx, next) {
    // There is no page behind any of this, and nothing of it is kept anywhere on the way.
    ctx.set({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
    });
    try {
      await next();
    } catch (error) {
      const reference = newReference(random);
      const problem = asProblem(error);
      log.problem(problem, { reference, method: ctx.method });
      show(ctx, problem, reference);
    }
  };
}

function show(ctx: Context, problem: Problem, reference: string): void {
  const { code, status } = problem;
  if (status === 401) ctx.set('www-authenticate', 'Bearer realm="didit-oidc admin"');
  ctx.status = status;
  ctx.body = JSON.stringify({
    type: `urn:didit-oidc:problem:${code}`,
    title: STATUS_CODES[status] ?? code,
    ...{ status, code },
    // Of any other error nobody said that an operator may read it.
    ...(problem instanceof Refusal ? problem.told : {}),
    reference,
  });
  ctx.type = 'application/problem+json';
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = error instanceof StoreUnavailable ? 'unavailable' : 'internal';
  return new Problem(code, undefined, { cause: error });
}
