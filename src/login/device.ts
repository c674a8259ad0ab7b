/**
 * Which browser this is, by a cookie of its own, and for which accounts it is no stranger.
 *
 * It says how much may be asked of us from here, and nothing more: no cookie ever signs anybody in. A browser is
 * known to an account once a login to it was completed there by a selfie that was taken at the same place, or by a
 * passkey.
 */
import type { RouterContext } from '@koa/router';
import type { LoginTools } from './room.ts';

export interface Device {
  /** Hashed: what is kept of a browser is of no use to anybody else. */
  id: string;
  knows(accountId: string): boolean;
}

type Tools = Pick<LoginTools, 'settings' | 'random' | 'hash'>;

const idBytes = 16;
/** Of the id and of each tag behind it: 128 bits in base64url. */
const partLength = 22;
const accountsAtMost = 5;
const maxAgeMs = 400 * 24 * 3_600_000;

/** The device that asks. One without a cookie gets one, and is new. */
export function thisDevice(ctx: RouterContext, tools: Tools): Device {
  const { secret, tags } = read(ctx, tools) ?? { secret: tools.random(idBytes), tags: [] };
  if (!read(ctx, tools)) write(ctx, tools, secret, tags);
  return {
    id: tools.hash(secret),
    knows: (accountId) => tags.includes(tagOf(tools, secret, accountId)),
  };
}

export function rememberDevice(ctx: RouterContext, tools: Tools, accountId: string): void {
  const { secret, tags } = read(ctx, tools) ?? { secret: tools.random(idBytes), tags: [] };
  const tag = tagOf(tools, secret, accountId);
  if (tags[0] === tag) return;
  const others = tags.filter((other) => other !== tag);
  write(ctx, tools, secret, [tag, ...others].slice(0, accountsAtMost));
}

/** Says that a device knows an account, to nobody who does not know the device's secret. */
function tagOf({ hash }: Tools, secret: string, accountId: string): string {
  return hash(`device ${secret} ${accountId}`).slice(0, partLength);
}

function read(ctx: RouterContext, tools: Tools): { secret: string; tags: string[] } | undefined {
  const value = ctx.cookies.get(nameOf(tools), { signed: true }) ?? '';
  const [secret, ...tags] = value.match(new RegExp(`.{${partLength}}`, 'g')) ?? [];
  return secret === undefined ? undefined : { secret, tags };
}

function write(ctx: RouterContext, tools: Tools, secret: string, tags: readonly string[]): void {
  ctx.cookies.set(nameOf(tools), [secret, ...tags].join(''), {
    ...{ signed: true, httpOnly: true, sameSite: 'lax', path: '/', overwrite: true },
    secure: isTls(tools),
    maxAge: maxAgeMs,
  });
}

/** Under TLS the browser itself guards the name. */
function nameOf(tools: Tools): string {
  return isTls(tools) ? '__Host-device' : '_device';
}

function isTls({ settings }: Tools): boolean {
  return settings.issuer.startsWith('https:');
}
