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
      show(ctx, ctx.status, view);
    },
    logout: (ctx, formHtml) => show(ctx, 200, { page: 'logout', formHtml }),
    loggedOut: (ctx) => show(ctx, 200, { page: 'loggedOut' }),
  };
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
