/**
 * The page behind a link that can be used once: looking at it does nothing, since mail scanners look at every link;
 * the button on its page uses it up.
 */
import { Router, type RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import { Problem } from '../domain/problem.ts';
import type { TicketContents, TicketKind, Tickets } from '../store/tickets.ts';
import { type FormTokens, readForm, requireSameOrigin } from '../web/forms.ts';
import { mayPostOnTo } from '../web/headers.ts';
import type { Page } from '../web/pages.ts';
import type { ShowPage } from '../web/respond.ts';

export interface TicketRouteTools {
  issuer: string;
  tickets: Tickets;
  formTokens: FormTokens;
  show: ShowPage;
}

export interface TicketRoute<K extends TicketKind> {
  kind: K;
  /** The link is this path and the secret. */
  below: string;
  /** Absent: as long as it was not used up. */
  isGood?: (contents: TicketContents[K]) => Promise<boolean>;
  /** @param action where its button leads. */
  page: (action: string) => Page;
  /** Another origin, besides our own, to which its button leads in the end. */
  leadsTo?: (contents: TicketContents[K]) => string | undefined;
  taken: (ctx: RouterContext, contents: TicketContents[K]) => Promise<void>;
}

export function createTicketRoutes<K extends TicketKind>(
  { issuer, tickets, formTokens, show }: TicketRouteTools,
  { kind, below, isGood = () => Promise.resolve(true), page, leadsTo, taken }: TicketRoute<K>,
): Middleware {
  const router = new Router({ prefix: `${below}/:secret` });
  const issuerOrigin = new URL(issuer).origin;
  const over = (): Problem => new Problem('not_found', 'a link that is used up or over');

  router.get('/', async (ctx) => {
    const secret = String(ctx.params.secret);
    const contents = await tickets.read(kind, secret);
    if (!contents || !(await isGood(contents))) throw over();
    ctx.state.formToken = formTokens.of(`${kind} ${secret}`);
    const origin = leadsTo?.(contents);
    if (origin !== undefined) mayPostOnTo(ctx, origin);
    show(ctx, 200, page(ctx.path));
  });

  router.post('/', async (ctx) => {
    requireSameOrigin(ctx, issuerOrigin);
    const secret = String(ctx.params.secret);
    formTokens.require(`${kind} ${secret}`, await readForm(ctx));
    const contents = await tickets.take(kind, secret);
    if (!contents || !(await isGood(contents))) throw over();
    await taken(ctx, contents);
  });

  return router.routes() as unknown as Middleware;
}
