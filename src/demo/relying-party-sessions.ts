/** The relying party's own sessions: a bounded map in memory, one random id in one cookie. */
import { randomUUID } from 'node:crypto';
import type { Context } from 'koa';
import type { SignedIn } from './relying-party-pages.ts';

export interface LocalSession {
  /** What the answer from the provider has to fit. */
  pending?: { state: string; nonce: string; codeVerifier: string };
  signedIn?: SignedIn;
}

export interface LocalSessions {
  /** The browser's record; an empty one when there is none. */
  load(ctx: Context): LocalSession;
  save(ctx: Context, session: LocalSession): void;
  end(ctx: Context): void;
  endWhere(matches: (signedIn: SignedIn) => boolean): void;
}

const cookieName = 'acme_wiki';
const maximumSessions = 1000;

export function createLocalSessions(): LocalSessions {
  const sessions = new Map<string, LocalSession>();
  const idOf = (ctx: Context): string => ctx.cookies.get(cookieName) ?? '';

  return {
    load: (ctx) => sessions.get(idOf(ctx)) ?? {},
    save(ctx, session) {
      // Always under a new id: a cookie planted before the sign-in is worth nothing after it.
      sessions.delete(idOf(ctx));
      const oldest = sessions.keys().next().value;
      if (sessions.size >= maximumSessions && oldest !== undefined) sessions.delete(oldest);
      const id = randomUUID();
      sessions.set(id, session);
      ctx.cookies.set(cookieName, id, { httpOnly: true, sameSite: 'lax' });
    },
    end(ctx) {
      sessions.delete(idOf(ctx));
      ctx.cookies.set(cookieName, null);
    },
    endWhere(matches) {
      for (const [id, { signedIn }] of sessions) {
        if (signedIn && matches(signedIn)) sessions.delete(id);
      }
    },
  };
}
