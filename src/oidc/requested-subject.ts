/**
 * Whom a request is about, when it is about somebody (OpenID Connect Core 3.1.2.1 and 5.5.1): it is answered for that
 * person or not at all. A `login_hint` is none of this: it is what stands in the form, and whoever it is may change it.
 */
import { decodeJwt } from 'jose';

/** What a request says of it: the `id_token_hint`, and what the claims parameter wants of `sub` in the ID token. */
export interface WantedSubject {
  hint: unknown;
  claim: unknown;
}

/** @param subject what the client calls the person who is there; undefined: nobody is. */
export function isAbout({ hint, claim }: WantedSubject, subject: string | undefined): boolean {
  const { value } = (claim ?? {}) as { value?: unknown };
  const wanted = [
    // The library checked the signature when the request came in, and remembers no more than the text.
    ...(typeof hint === 'string' ? [decodeJwt(hint).sub] : []),
    ...(value === undefined ? [] : [value]),
  ];
  return wanted.every((want) => want === subject);
}

/** Of the parameters of a request as the library keeps them. */
export function wantedSubject(params: Readonly<Record<string, unknown>>): WantedSubject {
  const { id_token_hint: hint, claims } = params;
  const parsed = typeof claims === 'string' ? (JSON.parse(claims) as ClaimsParameter) : {};
  return { hint, claim: parsed.id_token?.sub };
}

interface ClaimsParameter {
  id_token?: { sub?: unknown };
}
