/**
 * The kinds of value that a setting can have. A kind is a schema together with the words that an
 * error message uses for it, so that every message about a wrong value reads the same and never
 * quotes a library.
 */
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { parseDated } from '../domain/dated.ts';
import { parseSecret } from './secrets.ts';

export interface Kind<S extends z.ZodType> {
  schema: S;
  expects: string;
}

/**
 * What else is known of a setting. It travels as metadata of its schema; settings.ts reads it
 * back.
 */
export interface About {
  /** The environment variable. `NAME_FILE` beside it names a file that holds the value. */
  env: string;
  /** Taken when `env` is absent: the name that hosting platforms set on their own. */
  envWhenAbsent?: string;
  /** Never printed, neither in a message nor by `config print`. */
  secret?: true;
  /**
   * A file name. Inside a configuration file it is relative to that file, and it must be
   * readable, unless it may be missing.
   */
  file?: true;
  /** Besides a file it may name one of the policies that come with the program. */
  shippedPolicy?: true;
  /** Of a file: a login can do without it, and it may come and go while the provider runs. */
  mayBeMissing?: true;
  /** A valid value for the documentation, for settings that have no default. */
  example?: unknown;
}

export type Metadata = About & { expects: string };

/** Declares a setting: a kind, what it means, and where it comes from. */
export function setting<S extends z.ZodType>(kind: Kind<S>, meaning: string, about: About): S {
  const metadata: Metadata = { ...about, expects: kind.expects };
  return kind.schema.describe(meaning).meta({ ...metadata });
}

export const text: Kind<z.ZodString> = { schema: z.string().min(1), expects: 'a text' };

export const fileName: Kind<z.ZodString> = { schema: z.string().min(1), expects: 'a file name' };

export const policyName: Kind<z.ZodString> = {
  schema: z.string().min(1),
  expects: '"standard", "strict" or the name of a policy file',
};

export const flag: Kind<z.ZodBoolean> = { schema: z.boolean(), expects: 'true or false' };

export const port: Kind<z.ZodInt> = {
  schema: z.int().min(0).max(65_535),
  expects: 'a port number, 0 to 65535 (0 takes any free one)',
};

export const count: Kind<z.ZodInt> = {
  schema: z.int().min(1).max(100_000_000),
  expects: 'a whole number from 1 on',
};

export const countOrNone: Kind<z.ZodInt> = {
  schema: z.int().min(0).max(100_000_000),
  expects: 'a whole number from 0 on',
};

export const milliseconds: Kind<z.ZodInt> = {
  schema: z.int().min(0).max(5_000),
  expects: 'milliseconds, 0 to 5000',
};

export const percent: Kind<z.ZodInt> = {
  schema: z.int().min(0).max(90),
  expects: 'percent, 0 to 90',
};

export const amount: Kind<z.ZodNumber> = {
  schema: z.number().positive(),
  expects: 'an amount above 0',
};

export const score: Kind<z.ZodNumber> = {
  schema: z.number().min(0).max(100),
  expects: 'a score from 0 to 100',
};

export const colour: Kind<z.ZodString> = {
  schema: z.string().regex(/^#[0-9a-fA-F]{6}$/),
  expects: 'a colour such as "#3355aa"',
};

export const mailAddress: Kind<z.ZodEmail> = { schema: z.email(), expects: 'a mail address' };

export const smtpUrl: Kind<z.ZodURL> = {
  schema: z.url({ protocol: /^smtps?$/ }).refine(hasHostAlone),
  expects: 'smtp://HOST:PORT or smtps://HOST:PORT, perhaps with USER:PASSWORD@',
};

export const sender: Kind<z.ZodString> = {
  schema: z.string().regex(/^([^<>"\r\n]+<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/),
  expects: 'a mail address, perhaps as `Name <login@example.com>`',
};

/**
 * Shorter ones can be guessed, and an empty one would let anybody sign: both have happened to
 * others.
 */
export const secret: Kind<z.ZodString> = {
  schema: z.string().min(16),
  expects: 'a secret of at least 16 characters',
};

/** One that signs webhooks, and perhaps until when. */
export const webhookSecret: Kind<z.ZodString> = {
  schema: z.string().refine((text) => parseSecret(text) !== undefined),
  expects:
    'a secret of at least 16 characters without spaces, perhaps with " until 2026-12-01T00:00:00Z" behind',
};

/**
 * Scheme, host and port exactly as a browser writes them, so that comparing texts is comparing
 * origins.
 */
export const origin: Kind<z.ZodString> = {
  schema: z.string().refine(isOrigin),
  expects: 'an http or https origin without a path or trailing slash, such as https://example.com',
};

export const webAddress: Kind<z.ZodURL> = {
  schema: z.url({ protocol: /^https?$/ }),
  expects: 'an http or https address',
};

export const storeUrl: Kind<z.ZodString> = {
  schema: z.string().regex(/^(sqlite:.|rediss?(\+(cluster|sentinel))?:\/\/.)/),
  expects:
    'sqlite:FILE, sqlite::memory:, redis://HOST:PORT, redis+cluster://HOST:PORT,HOST:PORT or ' +
    'redis+sentinel://HOST:PORT,HOST:PORT/MASTER (rediss for TLS)',
};

/** An end would leave behind records that nothing opens; such a key goes when no record needs it. */
export const encryptionKey: Kind<z.ZodString> = {
  schema: z.string().refine((text) => {
    const dated = parseDated(text);
    return dated !== undefined && bytesOf(dated.secret) === 32 && dated.untilMs === Infinity;
  }),
  expects:
    '32 random bytes in base64 or base64url, perhaps with " from 2026-12-01T00:00:00Z" behind',
};

export const cookieKey: Kind<z.ZodString> = {
  schema: z
    .string()
    .refine((text) => text !== '' && !(/ (from|until) /.test(text) && !parseDated(text))),
  expects:
    'a text, perhaps with " from 2026-12-01T00:00:00Z" or " until 2027-01-01T00:00:00Z" behind',
};

/** `true` is left out on purpose: trusting every hop lets any visitor choose the address we see. */
export const proxies = {
  schema: z.union([
    z.literal(false),
    z.int().min(1),
    z.array(z.string().refine(isAddressRange)).min(1),
  ]),
  expects: 'false, the number of proxies in front, or a list of their addresses or CIDR ranges',
};

export const addresses: Kind<z.ZodArray<z.ZodString>> = {
  schema: z.array(z.string().refine(isAddressRange)),
  expects: 'a list of addresses or CIDR ranges',
};

/** Seconds as a number or as a text with a unit; parsed to seconds. */
export const duration = {
  schema: z
    .union([z.int().min(1), z.string().regex(/^[1-9]\d{0,8}[smhd]$/)])
    .transform((value) => (typeof value === 'number' ? value : secondsOf(value))),
  expects: 'seconds, or a duration such as "30m", "8h" or "14d"',
};

export function durationUpTo(days: number) {
  return {
    schema: duration.schema.refine((seconds) => seconds <= days * 86_400),
    expects: `${duration.expects}, at most ${days} days`,
  };
}

export function oneOf<const T extends readonly string[]>(...values: T) {
  const words = new Intl.ListFormat('en', { type: 'disjunction' });
  return { schema: z.enum(values), expects: words.format(values) };
}

export function listOf<S extends z.ZodType>(kind: Kind<S>): Kind<z.ZodArray<S>> {
  return { schema: z.array(kind.schema), expects: `a list, each ${kind.expects}` };
}

export function oneOrMoreOf<S extends z.ZodType>(kind: Kind<S>): Kind<z.ZodArray<S>> {
  return { schema: z.array(kind.schema).min(1), expects: `one or more, each ${kind.expects}` };
}

function isOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return /^https?:$/.test(url.protocol) && url.origin === value;
}

/** Nothing behind the host: what other programs read there would be thought to count here. */
function hasHostAlone(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { hostname, pathname, search, hash } = new URL(value);
  return hostname !== '' && /^\/?$/.test(pathname) && search === '' && hash === '';
}

function isAddressRange(value: string): boolean {
  return ipaddr.isValid(value) || ipaddr.isValidCIDR(value);
}

function bytesOf(value: string): number | undefined {
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(value)) return undefined;
  return Buffer.from(value, 'base64').length;
}

function secondsOf(value: string): number {
  const units: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };
  return Number(value.slice(0, -1)) * (units[value.slice(-1)] ?? 1);
}
