/**
 * Requests that no program sends and only a tester of doors does, refused before the library sees them: names that
 * are none (RFC 6749 appendix A), bytes that are no text, control characters, values and lists without measure, JSON
 * without bottom. The last is more than untidy: the library walks through what a request object holds before it looks at the
 * signature, and deep enough that ends in an error of ours.
 */
import type { Context, Next } from 'koa';
import rawBody from 'raw-body';
import { Problem } from '../domain/problem.ts';

/** As many bytes as the library reads itself. */
const longestBody = 56 * 1024;
const longestValue = 4 * 1024;
const deepestJson = 16;
const mostParameters = 100;

/** What may be longer, since it is a document of its own. */
const documents = new Set(['claims', 'request', 'id_token_hint', 'client_assertion']);
const readsQuery = new Set(['/auth', '/session/end']);
/** Other endpoints for programs take nothing that is looked into before it is known whose it is. */
const pushing = '/request';

export async function refuseMalformed(ctx: Context, next: Next): Promise<void> {
  if (ctx.method === 'GET' && readsQuery.has(ctx.path)) {
    const wrong = whatIsWrong(ctx.querystring);
    if (wrong !== undefined) throw new Problem('malformed', wrong);
  } else if (ctx.method === 'POST' && ctx.path === pushing) {
    const wrong = await whatIsWrongInBody(ctx);
    if (wrong !== undefined) {
      ctx.status = 400;
      ctx.body = { error: 'invalid_request', error_description: wrong };
      return;
    }
  }
  await next();
}

async function whatIsWrongInBody(ctx: Context): Promise<string | undefined> {
  if (!ctx.is('application/x-www-form-urlencoded')) return undefined;
  const options = { limit: longestBody, length: ctx.request.length };
  const body = await rawBody(ctx.req, options).catch(() => undefined);
  if (body === undefined) return 'the body is too long or broken off';
  // The library reads it once more.
  ctx.req = Object.create(ctx.req, {
    readable: { value: true },
    iterator: { value: () => [body].values() },
  }) as typeof ctx.req;
  return whatIsWrong(body.toString('latin1'));
}

/** Of parameters as they were sent. @returns for whoever sent it; names, and never values. */
function whatIsWrong(text: string): string | undefined {
  if (/[^\x20-\x7e]/.test(text)) return 'the parameters are not encoded';
  const pairs = text.split('&', mostParameters + 1).filter(Boolean);
  if (pairs.length > mostParameters) return 'there are too many parameters';
  for (const pair of pairs) {
    const [rawName = '', ...rest] = pair.split('=');
    const name = decode(rawName);
    if (name === undefined || !/^[\w.-]*$/.test(name)) return 'a parameter has a name that is none';
    const value = decode(rest.join('='));
    const isDocument = documents.has(name);
    if (value === undefined) return `the parameter "${name}" is no text`;
    if (!isDocument && value.length > longestValue) return `the parameter "${name}" is too long`;
    if (isDocument && jsonIn(value).some(isTooDeep)) return `the parameter "${name}" is too deep`;
  }
  return undefined;
}

/** @returns undefined for what is not UTF-8, and for control characters that no text has. */
function decode(raw: string): string | undefined {
  try {
    const text = decodeURIComponent(raw.replaceAll('+', ' '));
    return /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Header and payload of what has the shape of a JWT; else the value itself. */
function jsonIn(value: string): string[] {
  const [, header, payload] = /^([\w-]+)\.([\w-]*)\./.exec(value) ?? [];
  if (header === undefined || payload === undefined) return [value];
  return [header, payload].map((part) => Buffer.from(part, 'base64url').toString());
}

/** Counted without parsing, in one go: of text that is no JSON it does not matter what it counts. */
function isTooDeep(json: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < json.length && depth <= deepestJson; at += 1) {
    const character = json.charAt(at);
    if (inString && character === '\\') at += 1;
    else if (character === '"') inString = !inString;
    else if (!inString && (character === '{' || character === '[')) depth += 1;
    else if (!inString && (character === '}' || character === ']')) depth -= 1;
  }
  return depth > deepestJson;
}
