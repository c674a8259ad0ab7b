/** How pages and problems become answers. */
import type { Context, Middleware } from 'koa';
import type { Clock } from '../domain/environment.ts';
import type { OutageNotice } from '../domain/outage.ts';
import { Problem } from '../domain/problem.ts';
import { StoreUnavailable } from '../store/store.ts';
import { wantedLanguages } from './language.ts';
import type { Page, Pages } from './pages.ts';
import type { Log } from './telemetry.ts';

export type ShowPage = (ctx: Context, status: number, page: Page, request?: ForPage) => void;

/** What a page takes from the attempt, where there is one. */
export interface ForPage {
  uiLocales?: string | undefined;
  reference?: string | undefined;
  /** When the time for what the page asks is up, and the address that gives more. */
  expiry?: { atMs: number; moreTime: string } | undefined;
}

export function createShowPage(
  pages: Pages,
  clock: Clock,
  outage: () => OutageNotice | undefined = () => undefined,
): ShowPage {
  return function showPage(ctx, status, page, { uiLocales, reference, expiry } = {}) {
    const locale = pages.negotiateLocale(wantedLanguages(ctx, uiLocales));
    ctx.status = status;
    ctx.type = 'text/html; charset=utf-8';
    ctx.set('content-language', locale);
    const { formToken } = ctx.state as { formToken?: string };
    const about = { locale, reference: reference ?? referenceOf(ctx), formToken, outage: outage() };
    // Seconds from now: the browser's clock may be another.
    const inSeconds = expiry && Math.floor((expiry.atMs - clock()) / 1000);
    ctx.body = pages.render(page, {
      ...about,
      ...(expiry && inSeconds !== undefined
        ? { expiry: { inSeconds, moreTime: expiry.moreTime } }
        : {}),
    });
  };
}

/** Short, without letters that are mistaken for digits: something to read out on the phone. */
export function newReference(random: (bytes: number) => string): string {
  const alphabet = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
  const bytes = Buffer.from(random(8), 'base64url');
  const letters = Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

export function referenceOf(ctx: Context): string {
  return (ctx.state as { reference?: string }).reference ?? '';
}

/**
 * The one place that turns an error into an answer and a line in the log. A person gets a page, a program JSON;
 * both get a reference, and neither learns more.
 */
export function answerProblems(options: {
  show: ShowPage;
  log: Log;
  random: (bytes: number) => string;
}): Middleware {
  const { show, log, random } = options;
  return async function answerProblem(ctx, next) {
    const reference = newReference(random);
    (ctx.state as { reference?: string }).reference = reference;
    try {
      await next();
      nameReference(ctx, reference);
      if (ctx.status === 404 && ctx.body == null && !ctx.headerSent) throw new Problem('not_found');
    } catch (error) {
      const problem = asProblem(error);
      log.problem(problem, { reference, method: ctx.method });
      if (ctx.headerSent) return;
      if (ctx.accepts('html', 'json') === 'html') {
        show(ctx, problem.status, { page: 'error', problem: problem.code });
        return;
      }
      ctx.status = problem.status;
      ctx.body = { error: problem.code, reference };
    }
  };
}

/** An error that the library tells a program gets the reference that stands beside it in the log. */
function nameReference(ctx: Context, reference: string): void {
  const body: unknown = ctx.body;
  const isError = typeof body === 'object' && body !== null && 'error' in body;
  if (ctx.status >= 400 && isError) ctx.body = { ...body, reference };
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = error instanceof StoreUnavailable ? 'unavailable' : 'internal';
  return new Problem(code, undefined, { cause: error });
}
