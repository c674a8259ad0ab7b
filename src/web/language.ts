/** Which languages somebody wants, most wanted first: those that the app named (`ui_locales`), then the browser's own. */
import type { Context } from 'koa';

/** Nobody reads more, and what a stranger sends is kept for as long as a sign-in takes. */
const mostWanted = 16;
const tag = /^[a-z\d]{1,8}(?:-[a-z\d]{1,8}){0,4}$/i;

export function wantedLanguages(
  ctx: Pick<Context, 'acceptsLanguages'>,
  uiLocales: string | undefined,
): string[] {
  const wanted = [...(uiLocales ?? '').split(' '), ...ctx.acceptsLanguages()];
  return [...new Set(wanted.filter((one) => tag.test(one)))].slice(0, mostWanted);
}
