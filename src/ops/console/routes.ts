/**
 * Every page, and every form of it, by the same two handlers. A GET shows; a POST needs a session, the token of its own
 * page, and goes on with 303. What is wrong comes back beside its field, with everything that was typed.
 */
import { Router, type RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import type { Clock, Random } from '../../domain/environment.ts';
import { hasRole } from '../../domain/operator.ts';
import type { Actor } from '../acts/act.ts';
import type { Perform } from '../acts/perform.ts';
import { Refusal } from '../acts/refusal.ts';
import { type FormTokens, readForm, requireSameOrigin } from '../../web/forms.ts';
import { referenceOf } from '../../web/respond.ts';
import type { Drafts } from './drafts.ts';
import { type Filled, drawnForm } from './forms.ts';
import { type NamesOf, nameOf } from './names.ts';
import type { Ask, ConsoleForm, ConsolePage } from './page.ts';
import type { ConsoleSessions, Visitor } from './sessions.ts';
import type { ConsoleViews } from './views.ts';

export interface ConsoleTools {
  origin: string;
  issuer: string;
  sandbox: boolean;
  pages: readonly ConsolePage[];
  perform: Perform;
  sessions: ConsoleSessions;
  drafts: Drafts;
  formTokens: FormTokens;
  views: ConsoleViews;
  /** Is there nobody yet who could come in? */
  isUnmanned: () => Promise<boolean>;
  namesOf: NamesOf;
  clock: Clock;
  random: Random;
}

export function createConsoleRoutes(tools: ConsoleTools): Middleware {
  const { origin, sessions } = tools;
  const router = new Router({ prefix: '/console' });
  for (const page of tools.pages) {
    router.get(page.path, async (ctx) => {
      const visitor = await sessions.current(ctx);
      if (visitor) await showPage(ctx, tools, page, visitor);
      else if (await tools.isUnmanned()) showFirstSteps(ctx, tools);
      else sessions.begin(ctx, ctx.url);
    });
    for (const form of page.forms ?? []) {
      router.post(`${page.path === '/' ? '' : page.path}/${form.name}`, async (ctx) => {
        requireSameOrigin(ctx, origin);
        const values = await readForm(ctx);
        const visitor = await sessions.current(ctx);
        if (!visitor) {
          sessions.begin(ctx, pathOf(ctx, form));
          return;
        }
        tools.formTokens.require(`console ${visitor.id}`, values);
        await send(ctx, tools, { page, form, visitor, values });
      });
    }
  }
  return router.routes() as unknown as Middleware;
}

/** A sign-in would lead nowhere. */
function showFirstSteps(ctx: RouterContext, { views, sandbox }: ConsoleTools): void {
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = views('unmanned', {}, { title: 'No operator yet', sandbox });
}

/** Of the page that a form stands on. */
const pathOf = (ctx: RouterContext, { name }: ConsoleForm): string =>
  ctx.path.slice(0, -name.length - 1);

function actorOf({ account, role, proof }: Visitor): Actor {
  const { acr, authTime } = proof;
  return { kind: 'operator', name: account.id, role, authTime, acr };
}

async function send(
  ctx: RouterContext,
  tools: ConsoleTools,
  sent: { page: ConsolePage; form: ConsoleForm; visitor: Visitor; values: Filled['values'] },
): Promise<void> {
  const { page, form, visitor, values } = sent;
  const { params } = ctx;
  let answer: Record<string, unknown>;
  try {
    answer = await tools.perform(form.act, form.input(values, params), actorOf(visitor));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await showRefusal(ctx, tools, sent, error);
    return;
  }
  const { to, once } = form.done(answer, params);
  const query = new URLSearchParams({ done: `${page.name}.${form.name}` });
  if (once) {
    const kept = await tools.drafts.keep(visitor.proof.accountId, once).catch(() => undefined);
    if (kept === undefined) {
      showHere(ctx, tools, form, { to, once });
      return;
    }
    query.set('once', kept);
  }
  ctx.status = 303;
  ctx.redirect(`${to}?${query.toString()}`);
}

/** It is done, and the page that they would go on to has nowhere to take from what is shown this once. */
function showHere(
  ctx: RouterContext,
  { views, sandbox }: ConsoleTools,
  { said }: ConsoleForm,
  { to, once }: { to: string; once: object },
): void {
  const parts = Object.entries(once).filter(([, value]) => value !== undefined);
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = views('done', { to, parts }, { title: 'Done', said, sandbox });
}

async function showRefusal(
  ctx: RouterContext,
  tools: ConsoleTools,
  { page, form, visitor, values }: Parameters<typeof send>[2],
  refusal: Refusal,
): Promise<void> {
  if (refusal.code === 'forbidden') throw refusal;
  if (refusal.code === 'sign_in_again') {
    const typed = [...values].filter(([name]) => name !== 'form_token');
    const { accountId } = visitor.proof;
    const draft = await tools.drafts.keep(accountId, { form: form.name, values: typed });
    tools.sessions.begin(ctx, `${pathOf(ctx, form)}?draft=${draft}`, 'login');
    return;
  }
  const filled = { form: form.name, values, told: refusal.told };
  await showPage(ctx, tools, page, visitor, {
    filled,
    status: refusal.status,
    path: pathOf(ctx, form),
  });
}

async function showPage(
  ctx: RouterContext,
  tools: ConsoleTools,
  page: ConsolePage,
  visitor: Visitor,
  after: { filled?: Filled; status?: number; path?: string } = {},
): Promise<void> {
  const { views, sandbox, formTokens, drafts } = tools;
  const query = after.filled ? {} : onlyOnce(ctx.query);
  const { accountId } = visitor.proof;
  const once = await drafts.read(accountId, query.once);
  const filled = after.filled ?? filledOf(await drafts.take(accountId, query.draft));
  const ask = askOf(tools, { ctx, visitor, query, once });
  const { title, data } = await page.show(ask);
  const path = after.path ?? ctx.path.replace(/\/$/, '');
  const forms = (page.forms ?? []).map((form) => {
    const isAllowed = ask.may(form.act.role);
    return [form.name, { ...drawnForm(form, path, filled), isAllowed }] as const;
  });
  const body = views(
    page.name,
    { ...data, forms: Object.fromEntries(forms), nowMs: ask.nowMs, query },
    {
      ...{ title, sandbox, formToken: formTokens.of(`console ${visitor.id}`) },
      who: { name: nameOf(visitor.account) ?? accountId, role: visitor.role },
      menu: menuOf(tools, ask, page),
      said: saidBy(tools, query.done),
      reference: referenceOf(ctx),
    },
  );
  // Only now that it is drawn: of a page that breaks off before nothing was shown.
  await drafts.end(accountId, query.once);
  ctx.status = after.status ?? 200;
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = body;
}

function askOf(
  tools: ConsoleTools,
  { ctx, visitor, query, once }: Pick<Ask, 'visitor' | 'query' | 'once'> & { ctx: RouterContext },
): Ask {
  return {
    ...{ visitor, query, once, params: ctx.params },
    nowMs: tools.clock(),
    may: (role) => hasRole(visitor.role, role),
    namesOf: tools.namesOf,
    look: (act, input = {}) => tools.perform(act, input, actorOf(visitor)),
    also: (act, input = {}) => tools.perform(act, input, actorOf(visitor), { isPart: true }),
  };
}

function menuOf({ pages }: ConsoleTools, { may }: Ask, here: ConsolePage) {
  const [, section = ''] = (here.within ?? here.path).split('/');
  return pages.flatMap(({ path, inMenu, role }) => {
    if (inMenu === undefined || !may(role)) return [];
    const isHere = path === '/' ? section === '' : path.slice(1) === section;
    return [{ href: path === '/' ? '/console' : `/console${path}`, text: inMenu, isHere }];
  });
}

/** Only words of ours stand there, whatever the address says. */
function saidBy({ pages }: ConsoleTools, done: string | undefined): string | undefined {
  const [pageName, formName] = done?.split('.') ?? [];
  const page = pages.find(({ name }) => name === pageName);
  return page?.forms?.find(({ name }) => name === formName)?.said;
}

function onlyOnce(query: RouterContext['query']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value.slice(0, 254)]] : [],
    ),
  );
}

function filledOf(draft: unknown): Filled | undefined {
  const { form, values } = (draft ?? {}) as { form?: string; values?: [string, string][] };
  return form === undefined || !values ? undefined : { form, values: new Map(values) };
}
