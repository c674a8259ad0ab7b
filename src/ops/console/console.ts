/** The console as one handler for the management listener: its door, its headers, its assets, its routes. */
import type { RequestListener } from 'node:http';
import Koa, { type Context } from 'koa';
import type { Assets } from '../../web/assets.ts';
import { mayPostOnTo, securityHeaders } from '../../web/headers.ts';
import { observeRequests } from '../../web/observe.ts';
import { type ShowPage, answerProblems, referenceOf } from '../../web/respond.ts';
import type { Log } from '../../web/telemetry.ts';
import type { Problem } from '../../domain/problem.ts';
import { createConsoleDoor } from './door.ts';
import { createConsoleRoutes, type ConsoleTools } from './routes.ts';
import { createWelcomeRoutes, type WelcomeTools } from './welcome.ts';

export function createConsole(
  tools: ConsoleTools & WelcomeTools & { assets: Assets; cookieKeys: readonly string[]; log: Log },
): RequestListener {
  const { origin, issuer, assets, log, random } = tools;
  const app = new Koa({ proxy: true, keys: [...tools.cookieKeys] });
  app.silent = true;
  app.use(observeRequests({ log, now: () => performance.now() }));
  app.use(answerProblems({ show: showProblem(tools), log, random }));
  app.use(securityHeaders(origin));
  app.use(async (ctx, next) => {
    // A form may end in a sign-in.
    mayPostOnTo(ctx, issuer);
    if (ctx.path.startsWith('/console/assets/')) assets.serve(ctx);
    else await next();
  });
  app.use(async (ctx, next) => {
    if (ctx.path === '/') ctx.redirect('/console');
    else await next();
  });
  app.use(createWelcomeRoutes(tools));
  app.use(createConsoleRoutes(tools));
  const admit = createConsoleDoor(origin);
  const handle = app.callback();
  return (req, res) => {
    if (admit(req, res)) void handle(req, res);
  };
}

const sentences: Partial<Record<Problem['code'], string>> = {
  cross_site: 'The form came from another page, or it is too old. Nothing was done.',
  forbidden: 'Your role does not go that far. Nothing was done.',
  invalid: 'What was asked for is not what this page takes.',
  not_found: 'There is nothing here, or no longer.',
};

/** Of these nobody knows how far it came. */
const brokeOff: Partial<Record<Problem['code'], string>> = {
  unavailable: 'Something that this needs does not answer.',
  internal: 'This did not work.',
};

function sentenceOf(code: Problem['code'], isForm: boolean): string {
  const why = brokeOff[code];
  if (why === undefined) return sentences[code] ?? 'This did not work, and nothing was done.';
  if (!isForm) return `${why} Try again in a moment.`;
  return `${why} It may have been done all the same: look before you try again.`;
}

function showProblem({ views, sandbox }: Pick<ConsoleTools, 'views' | 'sandbox'>): ShowPage {
  return function show(ctx: Context, status, page) {
    const code = page.page === 'error' ? (page.problem as Problem['code']) : 'internal';
    const isForm = ctx.method === 'POST';
    const what = sentenceOf(code, isForm);
    const title = isForm && code in brokeOff ? 'Perhaps not done' : 'Not done';
    ctx.status = status;
    ctx.type = 'text/html; charset=utf-8';
    const reference = referenceOf(ctx);
    ctx.body = views('problem', { what, code }, { title, reference, sandbox });
  };
}
