/** The three pages that the library would draw itself, drawn by us; an error is JSON for a program. */
import { type Configuration, type KoaContextWithOIDC, errors } from 'oidc-provider';
import { StoreUnavailable } from '../store/store.ts';
import { type ShowPage, referenceOf } from '../web/respond.ts';

export interface ProviderPages {
  error: NonNullable<Configuration['renderError']>;
  logout: (ctx: KoaContextWithOIDC, form: string) => void;
  loggedOut: (ctx: KoaContextWithOIDC) => void;
}

export function createProviderPages(show: ShowPage): ProviderPages {
  return {
    error(ctx, out, error) {
      if (ctx.accepts('html', 'json') !== 'html') {
        ctx.body = { ...out, reference: referenceOf(ctx) };
        return;
      }
      const view = { page: 'error', problem: problemOf(error) } as const;
      show(ctx, ctx.status, view, spokenTo(ctx));
    },
    logout: (ctx, formHtml) => show(ctx, 200, { page: 'logout', formHtml }, spokenTo(ctx)),
    loggedOut: (ctx) => show(ctx, 200, { page: 'loggedOut' }, spokenTo(ctx)),
  };
}

/** The languages that the app named; absent where the request could not be read so far. */
function spokenTo({ oidc }: KoaContextWithOIDC): { uiLocales: string | undefined } {
  const named = (oidc as typeof oidc | undefined)?.params?.ui_locales;
  return { uiLocales: typeof named === 'string' ? named : undefined };
}

/** What is told is whose turn it is; what was wrong with a request concerns the relying party's log and ours. */
function problemOf(
  error: Error,
): 'interaction_over' | 'request_refused' | 'unavailable' | 'internal' {
  if (error instanceof StoreUnavailable) return 'unavailable';
  if (error instanceof errors.SessionNotFound) return 'interaction_over';
  if (error instanceof errors.OIDCProviderError && error.statusCode < 500) return 'request_refused';
  return 'internal';
}
