/** A phone that brings the code of a hand-off: what the code leads to, and whether this is the phone that has it. */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import { handoffOf } from '../domain/handoff.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import type { LoginTools } from './room.ts';

const code = /^[\w-]{22}$/;
const cookieForMs = 30 * 60_000;

/** A code and what it leads to, for the browser that brought it. */
export interface Found extends LoadedAttempt {
  code: string;
  codeHash: string;
  /** Of the cookie that this browser has for this code, whether or not it has claimed with it. */
  cookie: string | undefined;
  /** Has this browser taken it on? */
  isMine: boolean;
}

export async function find(ctx: RouterContext, tools: LoginTools): Promise<Found | undefined> {
  const given = String(ctx.params.code);
  const uid = code.test(given) ? await tools.handoffs.find(given) : undefined;
  const loaded = uid === undefined ? undefined : await tools.attempts.load(uid);
  if (!loaded) return undefined;
  const { attempt } = loaded;
  const codeHash = tools.hash(given);
  const ofCapture = 'capture' in attempt ? attempt.capture.handoff : undefined;
  // An offer that another one took the place of leads nowhere any more.
  if ((handoffOf(attempt) ?? ofCapture)?.codeHash !== codeHash) return undefined;
  const cookie = ctx.cookies.get(cookieName(tools), { signed: true });
  const owner = ofCapture?.cookieHash ?? handoffOf(attempt)?.claim?.cookieHash;
  const isMine = cookie !== undefined && owner === tools.hash(cookie);
  return { ...loaded, code: given, codeHash, cookie, isMine };
}

/** Under TLS the browser itself guards the name. */
function cookieName({ settings }: Pick<LoginTools, 'settings'>): string {
  return settings.issuer.startsWith('https:') ? '__Secure-handoff' : '_handoff';
}

export const pathOf = ({ code: given }: Pick<Found, 'code'>, step = ''): string =>
  `/h/${given}${step && `/${step}`}`;

/** Before the claim a form is bound to the code, and after it to the phone. */
export const tokenOf = ({ code: given, cookie, isMine }: Found): string =>
  isMine && cookie !== undefined ? `handoff ${cookie}` : `handoff ${given}`;

export function back(ctx: RouterContext, found: Pick<Found, 'code'>): void {
  ctx.status = 303;
  ctx.redirect(pathOf(found));
}

/** In the phone's own language: what the other browser speaks says nothing about it. */
export const shown = ({
  attempt: { reference },
}: Pick<Found, 'attempt'>): { reference: string } => ({
  reference,
});

export function keepCookie(
  ctx: RouterContext,
  tools: LoginTools,
  found: Found,
  cookie: string,
): void {
  ctx.cookies.set(cookieName(tools), cookie, {
    ...{ signed: true, httpOnly: true, sameSite: 'lax', overwrite: true },
    ...{ path: pathOf(found), maxAge: cookieForMs },
    secure: tools.settings.issuer.startsWith('https:'),
  });
}

export function showOver(
  ctx: RouterContext,
  tools: LoginTools,
  how: 'done' | 'over' | 'stopped',
  found?: { attempt: Attempt },
): void {
  const page = { page: 'phoneOver', how, client: found?.attempt.client } as const;
  tools.show(ctx, how === 'over' ? 410 : 200, page, found ? shown(found) : {});
}
