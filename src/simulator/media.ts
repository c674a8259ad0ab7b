/**
 * The pictures of a check, behind links that anybody may follow and that end after an hour, as those to Didit's
 * storage do. There is no camera and no document: the same person has the same drawn face.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type Router from '@koa/router';
import { facePng } from './assets.ts';
import type { CallState, Guard } from './calls.ts';
import type { DiditSession, State } from './state.ts';

/** `reference`: the selfie. `document`: the small picture on the document. */
type Picture = 'reference' | 'document';

/** Where the addresses in a decision lead. */
export interface Addresses {
  hostedOrigin: string;
  linkTo(picture: Picture): string;
}

const linkSeconds = 3_600;

export function addressesOf(
  session: DiditSession,
  state: State,
  { hostedOrigin, mediaOrigin = hostedOrigin }: { hostedOrigin: string; mediaOrigin?: string },
): Addresses {
  return {
    hostedOrigin,
    linkTo(picture) {
      const path = `/media/${session.id}/${picture}.png`;
      const expires = String(Math.floor(state.now() / 1000) + linkSeconds);
      const query = new URLSearchParams({ expires, signature: sign(state, path, expires) });
      return `${mediaOrigin}${path}?${query.toString()}`;
    },
  };
}

export function addMedia(parts: { router: Router<CallState>; guard: Guard; state: State }): void {
  const { router, guard, state } = parts;

  router.get('/media/:id/:picture', guard('media', { isPublic: true }), (ctx) => {
    const { searchParams } = ctx.URL;
    const expires = searchParams.get('expires') ?? '';
    const session = state.sessions.get(ctx.params.id ?? '');
    ctx.type = 'application/xml';
    if (!isEqual(searchParams.get('signature') ?? '', sign(state, ctx.path, expires))) {
      ctx.status = 403;
      ctx.body = storageError('SignatureDoesNotMatch');
    } else if (Number(expires) * 1000 < state.now()) {
      ctx.status = 403;
      ctx.body = storageError('AccessDenied');
    } else if (session === undefined) {
      ctx.status = 404;
      ctx.body = storageError('NoSuchKey');
    } else {
      ctx.type = 'image/png';
      ctx.body = portraitOf(session, ctx.params.picture === 'document.png' ? 48 : 240);
    }
  });
}

function portraitOf({ person }: DiditSession, sizePx: number): Buffer {
  const { firstName, lastName, dateOfBirth } = person;
  const who = [firstName, lastName, dateOfBirth].join('\n').toLowerCase();
  return facePng(createHash('sha256').update(who).digest(), sizePx);
}

function sign(state: State, path: string, expires: string): string {
  return createHmac('sha256', state.mediaKey).update(`${path}\n${expires}`).digest('base64url');
}

function isEqual(a: string, b: string): boolean {
  const [one, other] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

function storageError(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
}
