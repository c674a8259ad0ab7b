/** Coming and going: the one-time link, the way back from a sign-in, and signing out. */
import { Router, type RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import type { Clock } from '../../domain/environment.ts';
import type { Record as RecordEvent } from '../../domain/event.ts';
import type { Role } from '../../domain/operator.ts';
import type { OwnProof } from '../../oidc/own-client.ts';
import type { Accounts } from '../../store/accounts.ts';
import { type OperatorLinks, operatorLinkSeconds } from '../../store/operator-links.ts';
import type { Operators } from '../../store/operators.ts';
import type { Tickets } from '../../store/tickets.ts';
import { type FormTokens, readForm, requireSameOrigin } from '../../web/forms.ts';
import type { ConsoleSessions } from './sessions.ts';
import type { ConsoleViews } from './views.ts';

export interface WelcomeTools {
  origin: string;
  issuer: string;
  sandbox: boolean;
  sessions: ConsoleSessions;
  operators: Operators;
  operatorLinks: OperatorLinks;
  accounts: Accounts;
  tickets: Tickets;
  formTokens: FormTokens;
  views: ConsoleViews;
  clock: Clock;
  record: RecordEvent;
}

/** Why somebody who is back is not let in, in words. */
const whyNot = {
  weak: {
    title: 'Not signed in',
    what: 'The console takes a passkey, or a selfie in a browser that knows you. Sign in to your own page once in this browser, or make a passkey there, and try again.',
  },
  ended: { title: 'Not signed in', what: 'The sign-in was not finished. Nothing has changed.' },
  nobody: {
    title: 'No operator',
    what: 'You are signed in, but this account does not run the service. Whoever does can make you a link: didit-oidc operators link',
  },
  over: {
    title: 'This link is over',
    what: 'It was used, it is older than an hour, or a newer one was made. Print another: didit-oidc operators link',
  },
  other: {
    title: 'Somebody else’s link',
    what: 'The link is for another account than the one that you signed in with. It is still good.',
  },
} as const;

export function createWelcomeRoutes(tools: WelcomeTools): Middleware {
  const { origin, issuer, sessions, operatorLinks, accounts, tickets, formTokens } = tools;
  const router = new Router({ prefix: '/console' });

  router.get('/welcome/:secret', async (ctx) => {
    const secret = String(ctx.params.secret);
    const link = await operatorLinks.read(secret);
    if (!link) {
      refuse(ctx, tools, 'over', 404);
      return;
    }
    const formToken = formTokens.of(`console welcome ${secret}`);
    const account = link.accountId === undefined ? undefined : await accounts.find(link.accountId);
    const data = { role: link.role, action: ctx.path, isNew: account?.status === 'invited' };
    show(ctx, tools, 200, 'welcome', 'Welcome to the console', { ...data, formToken });
  });

  router.post('/welcome/:secret', async (ctx) => {
    requireSameOrigin(ctx, origin);
    const secret = String(ctx.params.secret);
    formTokens.require(`console welcome ${secret}`, await readForm(ctx));
    const link = await operatorLinks.read(secret);
    if (!link) {
      refuse(ctx, tools, 'over', 404);
      return;
    }
    sessions.link.keep(ctx, secret);
    const { accountId } = link;
    const account = accountId === undefined ? undefined : await accounts.find(accountId);
    if (account?.status !== 'invited') {
      sessions.beginByLink(ctx);
      return;
    }
    const invitation = { accountId: account.id, to: 'console', isShown: true } as const;
    const invited = await tickets.issue('invitation', invitation, operatorLinkSeconds);
    ctx.status = 303;
    ctx.redirect(`${issuer}/enrol/${invited}`);
  });

  router.get('/enter', (ctx) => {
    // After somebody else's sign-in the same browser would only be sent back.
    const prompt = ctx.query.again === undefined ? undefined : 'login';
    if (sessions.link.of(ctx) === undefined) sessions.begin(ctx, '/console', prompt);
    else sessions.beginByLink(ctx, prompt);
  });

  router.get('/callback', async (ctx) => {
    const back = await sessions.returned(ctx);
    if (!back.proof) {
      const isWeak = back.error === 'unmet_authentication_requirements';
      refuse(ctx, tools, isWeak ? 'weak' : 'ended', 403);
      return;
    }
    const linked = back.isByLink ? await takeLink(ctx, tools, back.proof) : undefined;
    if (back.isByLink && !linked) return;
    if (!(await tools.operators.find(back.proof.accountId))) {
      refuse(ctx, tools, 'nobody', 403);
      return;
    }
    await sessions.open(ctx, back.proof, linked);
    ctx.status = 303;
    ctx.redirect(back.next);
  });

  router.post('/sign-out', async (ctx) => {
    requireSameOrigin(ctx, origin);
    const form = await readForm(ctx);
    const visitor = await sessions.current(ctx);
    if (visitor) {
      formTokens.require(`console ${visitor.id}`, form);
      await sessions.end(ctx, visitor);
    }
    ctx.status = 303;
    ctx.redirect('/console/signed-out');
  });

  router.get('/signed-out', (ctx) => {
    const everywhere = `${issuer}/session/end`;
    show(ctx, tools, 200, 'signed-out', 'Signed out', { everywhere });
  });

  return router.routes() as unknown as Middleware;
}

/** @returns what they are by it now, if nothing more already; undefined: they were told why not. */
async function takeLink(
  ctx: RouterContext,
  tools: WelcomeTools,
  { accountId }: OwnProof,
): Promise<Role | undefined> {
  const { operatorLinks, operators, sessions, clock, record } = tools;
  const secret = sessions.link.of(ctx);
  const found = secret === undefined ? undefined : await operatorLinks.read(secret);
  if (found?.accountId !== undefined && found.accountId !== accountId) {
    refuse(ctx, tools, 'other', 403);
    return undefined;
  }
  const link = secret === undefined ? undefined : await operatorLinks.take(secret);
  sessions.link.drop(ctx);
  if (!link) {
    refuse(ctx, tools, 'over', 404);
    return undefined;
  }
  await operators.add(accountId, link.role, link.by);
  const about = { account: accountId, object: accountId, reason: link.role };
  record({ event: 'operator.added', atMs: clock(), ...about, operators: [link.by] });
  return link.role;
}

function refuse(
  ctx: RouterContext,
  tools: WelcomeTools,
  why: keyof typeof whyNot,
  status: number,
  again = '/console/enter?again',
): void {
  const { title, what } = whyNot[why];
  const account = `${tools.issuer}/account`;
  show(ctx, tools, status, 'refused', title, { what, again, account });
}

function show(
  ctx: RouterContext,
  { views, sandbox }: WelcomeTools,
  status: number,
  name: string,
  title: string,
  data: object,
): void {
  ctx.status = status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = views(name, data, { title, sandbox });
}
