/** The page that Didit would host: opening it begins the check, one button ends it, the browser goes back. */
import { createHash } from 'node:crypto';
import type Router from '@koa/router';
import type { RouterContext } from '@koa/router';
import type { Context } from 'koa';
import getRawBody from 'raw-body';
import { pageScript, pageStyle } from './assets.ts';
import type { CallState } from './calls.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { SimulatorSettings } from './options.ts';
import { outcomesOf } from './outcomes.ts';
import { capturePage, donePage, problemPage } from './page.ts';
import { personInForm } from './person.ts';
import { isOpen } from './state.ts';
import type { DiditSession, Sighting, State } from './state.ts';

interface HostedParts {
  router: Router<CallState>;
  settings: SimulatorSettings;
  state: State;
  lifecycle: Lifecycle;
}

const browserCookie = 'simulator_browser';
const formBytesMax = 4096;

/**
 * Neither form-action nor frame-ancestors: the first would block the redirect that answers the form, and
 * Didit's page may be framed by whoever integrates it.
 */
const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "media-src 'self' blob:; base-uri 'none'",
  'Permissions-Policy': 'camera=(self)',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};

export function addHostedPage(parts: HostedParts): void {
  const { router } = parts;
  // The language is part of the address and of nothing else: this page speaks English.
  for (const path of ['/session/:token', '/:language/session/:token']) {
    router.get(path, (ctx) => show(parts, ctx));
    router.post(path, (ctx) => finish(parts, ctx));
    router.get(`${path}/state`, (ctx) => {
      const session = find(parts, ctx);
      if (session !== undefined) ctx.body = { status: session.status, open: isOpen(session) };
    });
  }
  serve(router, '/simulator/page.css', 'text/css', pageStyle);
  serve(router, '/simulator/page.js', 'text/javascript', pageScript);
}

/** Who asked: the address and browser that `ip_analyses` will report. */
export function sightingOf(ctx: Context, browserId: string): Sighting {
  const userAgent = ctx.get('user-agent');
  const digest = createHash('sha256').update(`${browserId}\n${userAgent}`).digest('hex');
  return {
    ipAddress: ctx.ip.replace(/^::ffff:/, ''),
    userAgent,
    deviceFingerprint: `didit-fp-${digest.slice(0, 24)}`,
  };
}

function serve(router: Router<CallState>, path: string, type: string, body: string): void {
  router.get(path, (ctx) => {
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.type = type;
    ctx.body = body;
  });
}

function show(parts: HostedParts, ctx: RouterContext<CallState>): void {
  const session = find(parts, ctx);
  if (session === undefined) return;
  const browserId = identify(parts, ctx);
  if (isOpen(session)) {
    // A HEAD request comes from a link preview, not from a person.
    if (ctx.method === 'GET') parts.lifecycle.open(session, browserId);
    ctx.body = capturePage(session);
    return;
  }
  const finishedElsewhere = session.completerId !== null && session.completerId !== browserId;
  if (finishedElsewhere && goBack(session, browserId, ctx)) return;
  ctx.body = donePage(session);
}

async function finish(parts: HostedParts, ctx: RouterContext<CallState>): Promise<void> {
  const session = find(parts, ctx);
  if (session === undefined) return;
  const text = await getRawBody(ctx.req, { limit: formBytesMax, encoding: 'utf8' });
  const form = new URLSearchParams(text);
  const outcome = outcomesOf(session.workflow).find((name) => name === form.get('outcome'));
  const person = personInForm(form);
  if (outcome === undefined || person === undefined) {
    ctx.status = 400;
    ctx.body =
      outcome === undefined
        ? problemPage('No such outcome', 'Choose one of the buttons of the page.')
        : problemPage('No such person', 'A document has names, a date of birth and a number.');
    return;
  }
  const browserId = identify(parts, ctx);
  parts.lifecycle.open(session, browserId);
  const by = { ...sightingOf(ctx, browserId), person };
  if (!parts.lifecycle.finish(session, outcome, browserId, by)) {
    ctx.status = 409;
    ctx.body = donePage(session);
  } else if (!goBack(session, browserId, ctx)) {
    ctx.body = donePage(session);
  }
}

function find(
  { state, lifecycle }: HostedParts,
  ctx: RouterContext<CallState>,
): DiditSession | undefined {
  ctx.set(headers);
  const session = state.sessionByToken(ctx.params.token ?? '');
  if (session !== undefined) {
    lifecycle.expireIfDue(session);
    return session;
  }
  ctx.status = 404;
  ctx.body = problemPage('No such session', 'The link is wrong, or the session was deleted.');
  return undefined;
}

/** Tells browsers apart, as `callback_method` needs. */
function identify({ state }: HostedParts, ctx: Context): string {
  const known = ctx.cookies.get(browserCookie);
  if (known !== undefined) return known;
  const browserId = state.newSecret();
  ctx.cookies.set(browserCookie, browserId, { httpOnly: true, sameSite: 'lax' });
  return browserId;
}

/** Redirects this browser when `callback_method` sends it back. @returns whether it did. */
function goBack(session: DiditSession, browserId: string, ctx: Context): boolean {
  const { callback, callbackMethod, initiatorId, completerId } = session;
  const returning = {
    initiator: [initiatorId],
    completer: [completerId],
    both: [initiatorId, completerId],
  }[callbackMethod];
  if (callback === null || !returning.includes(browserId)) return false;
  ctx.status = 303;
  ctx.redirect(withResult(callback, session));
  return true;
}

/** Added as text, so that nothing of the integrator's own address is written anew. */
function withResult(callback: string, { id, status }: DiditSession): string {
  const [address = '', fragment] = callback.split('#', 2);
  const query = `verificationSessionId=${id}&status=${encodeURIComponent(status)}`;
  const separator = address.includes('?') ? '&' : '?';
  return `${address}${separator}${query}${fragment === undefined ? '' : `#${fragment}`}`;
}
