/** Forms: only from our own pages, only as large as they need to be, each field at most once. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import rawBody from 'raw-body';
import { z } from 'zod';
import { Problem } from '../domain/problem.ts';
import { normaliseIdentifier } from '../store/account-names.ts';

const maximumFormBytes = 16 * 1024;
const longestTyped = 64;

/**
 * Refuses a POST that another site sent. Browsers say where a request comes from: `Sec-Fetch-Site`, else `Origin`,
 * else `Referer`, which our Referrer-Policy leaves in for our own pages. A request that says nothing is refused.
 */
export function requireSameOrigin(ctx: Context, issuerOrigin: string): void {
  const site = ctx.get('sec-fetch-site');
  const origin = ctx.get('origin');
  const referer = ctx.get('referer');
  const own =
    site !== ''
      ? site === 'same-origin'
      : origin !== ''
        ? origin === issuerOrigin
        : URL.parse(referer)?.origin === issuerOrigin;
  if (!own) throw new Problem('cross_site');
}

/** @throws Problem `unsupported_media_type`, `body_too_large` or `malformed`. */
export async function readForm(ctx: Context): Promise<ReadonlyMap<string, string>> {
  const { req } = ctx;
  if (req.headers['content-length'] === '0') return new Map();
  if (!ctx.is('application/x-www-form-urlencoded')) throw new Problem('unsupported_media_type');
  const text = await rawBody(req, { limit: maximumFormBytes, encoding: 'utf8' }).catch(
    (cause: unknown) => {
      const tooLarge = (cause as { type?: string }).type === 'entity.too.large';
      throw new Problem(tooLarge ? 'body_too_large' : 'malformed', undefined, { cause });
    },
  );
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) throw new Problem('malformed', `the field "${name}" is there twice`);
    fields.set(name, value);
  }
  return fields;
}

/** A code or a name that somebody typed into a field of it. */
export function typed(form: ReadonlyMap<string, string>, name: string): string {
  return (form.get(name) ?? '').trim().slice(0, longestTyped);
}

const mailAddress = z.email().max(254);

/** @returns the field `address` as it is kept; undefined when it is no mail address. */
export function typedAddress(form: ReadonlyMap<string, string>): string | undefined {
  const given = mailAddress.safeParse(form.get('address')?.trim());
  return given.success ? normaliseIdentifier(given.data) : undefined;
}

/** What a form of ours carries besides: only who was shown the page of this interaction has it. */
export interface FormTokens {
  of(interactionUid: string): string;
  /** @throws Problem `cross_site` when the form is not one that we drew for this interaction. */
  require(interactionUid: string, form: ReadonlyMap<string, string>): void;
}

/** @param keys newest first; a page that was drawn before a key was changed may still be sent. */
export function createFormTokens(keys: readonly string[]): FormTokens {
  const tokenBy = (key: string, uid: string): string =>
    createHmac('sha256', key).update(`didit-oidc form\0${uid}`).digest('base64url');
  const [newest = ''] = keys;
  return {
    of: (uid) => tokenBy(newest, uid),
    require(uid, form) {
      const given = Buffer.from(form.get('form_token') ?? '');
      const isOurs = keys.some((key) => {
        const expected = Buffer.from(tokenBy(key, uid));
        return expected.length === given.length && timingSafeEqual(expected, given);
      });
      if (!isOurs) throw new Problem('cross_site', 'a form without its token');
    },
  };
}
