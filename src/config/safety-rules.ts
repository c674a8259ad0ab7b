/**
 * What a provider must not start with, as one table: a row a rule, each with its own test. A rule
 * looks at the parsed configuration and names a setting; no rule ever quotes a value.
 */
import { type KeySet, isPublicKey, isPublishedKey } from './key-set.ts';
import { parseSecret } from './secrets.ts';
import { parseDated } from '../domain/dated.ts';
import type { Config } from './schema.ts';
import { isInMemory, isOnLoopback, isPlainHttp, storeAddress } from './addresses.ts';

interface Rule {
  setting: string;
  /**
   * Another setting that the rule looks at. When either is wrong in itself, the rule has nothing
   * to say.
   */
  comparedWith?: string;
  mode: Config['mode'] | 'any';
  refuses: (config: Config, jwks: KeySet | undefined) => boolean;
  message: string;
  fix: string;
}

export const rules: readonly Rule[] = [
  {
    setting: 'issuer',
    mode: 'production',
    refuses: ({ issuer }) => isPlainHttp(issuer),
    message: 'production needs an https issuer',
    fix: 'Put TLS in front and write the issuer with https.',
  },
  {
    setting: 'issuer',
    mode: 'development',
    refuses: ({ issuer }) => isPlainHttp(issuer) && !isOnLoopback(issuer),
    message: 'an http issuer is for a loopback host only',
    fix: 'Use http://127.0.0.1, http://localhost or https.',
  },
  {
    setting: 'management.origin',
    mode: 'any',
    refuses: ({ management: { origin } }) =>
      origin !== undefined && isPlainHttp(origin) && !isOnLoopback(origin),
    message: 'operators would sign in over plain http',
    fix: 'Put TLS in front and write the origin with https, or use a loopback host.',
  },
  {
    setting: 'management.origin',
    comparedWith: 'issuer',
    mode: 'any',
    refuses: ({ management: { origin }, issuer }) => origin === issuer,
    message: 'the console must not have the address of the sign-in',
    fix: 'Give the management listener a name or a port of its own.',
  },
  {
    setting: 'cookies.keys',
    mode: 'production',
    refuses: ({ cookies }) => cookies.keys.length === 0,
    message: 'production needs keys that sign the cookies',
    fix: 'Set COOKIE_KEYS; `didit-oidc init` makes fresh ones.',
  },
  {
    setting: 'cookies.keys',
    mode: 'production',
    refuses: ({ cookies }) =>
      cookieSecrets(cookies.keys).some((key) => Buffer.byteLength(key) < 32),
    message: 'a cookie key is shorter than 32 bytes',
    fix: 'Replace it by a random one; `didit-oidc init` makes fresh ones.',
  },
  {
    setting: 'cookies.keys',
    mode: 'production',
    refuses: ({ cookies }) => cookieSecrets(cookies.keys).some(isGuessable),
    message: 'a cookie key is one that others know or can guess',
    fix: 'Replace it by a random one; `didit-oidc init` makes fresh ones.',
  },
  {
    setting: 'cookies.keys',
    mode: 'any',
    refuses: ({ cookies: { keys } }) =>
      keys.length > 0 && keys.every((key) => Number.isFinite(parseDated(key)?.untilMs)),
    message: 'every cookie key has an end, and after the last nobody could sign in',
    fix: 'Leave the end off the newest one.',
  },
  {
    setting: 'didit.webhookSecrets',
    mode: 'any',
    refuses: ({ didit }) =>
      didit.webhookSecrets.every((text) => Number.isFinite(parseSecret(text)?.untilMs)),
    message: 'every webhook secret has an end, and after the last nothing is heard any more',
    fix: 'Leave the end off the one that Didit signs with from now on.',
  },
  {
    setting: 'jwksFile',
    mode: 'production',
    refuses: ({ jwksFile }) => jwksFile === undefined,
    message: 'production needs a file with the keys that sign tokens',
    fix: 'Set JWKS_FILE; `didit-oidc init` makes fresh ones.',
  },
  {
    setting: 'jwksFile',
    mode: 'any',
    refuses: (_, jwks) => jwks === 'unreadable' || jwks?.every(isPublicKey) === true,
    message: 'the file is not a JSON Web Key Set with a private key',
    fix: 'Compare it with the jwks.json that `didit-oidc init` makes.',
  },
  {
    setting: 'jwksFile',
    mode: 'production',
    refuses: (_, jwks) => jwks !== 'unreadable' && jwks?.some(isPublishedKey) === true,
    message: 'the file holds a development key whose private half is published',
    fix: 'Remove that key; `didit-oidc init` makes fresh ones.',
  },
  {
    setting: 'store.url',
    mode: 'production',
    refuses: ({ store }) => isInMemory(store.url),
    message: 'a store in memory forgets every session and every spent proof at a restart',
    fix: 'Use sqlite:FILE or Redis.',
  },
  {
    setting: 'store.url',
    mode: 'production',
    refuses: ({ store }) => {
      const address = storeAddress(store.url);
      return address !== undefined && !address.isTls && !address.isLoopback;
    },
    message: 'Redis on another machine needs TLS',
    fix: 'Use rediss:// in place of redis://.',
  },
  {
    setting: 'store.url',
    mode: 'production',
    refuses: ({ store }) => {
      const address = storeAddress(store.url);
      return address !== undefined && !address.hasPassword && !address.isLoopback;
    },
    message: 'Redis on another machine needs a password',
    fix: 'Write the address as rediss://USER:PASSWORD@HOST:PORT.',
  },
  {
    setting: 'store.encryptionKeys',
    comparedWith: 'store.url',
    mode: 'any',
    refuses: ({ store }) => !isInMemory(store.url) && store.encryptionKeys.length === 0,
    message: 'records that outlive the process must be sealed',
    fix: 'Set STORE_ENCRYPTION_KEYS; `didit-oidc init` makes fresh ones.',
  },
  {
    setting: 'session.ttlSeconds',
    comparedWith: 'session.maxAgeSeconds',
    mode: 'any',
    refuses: ({ session }) => session.ttlSeconds > session.maxAgeSeconds,
    message: 'a session cannot be idle for longer than it may last',
    fix: 'Make SESSION_TTL shorter or SESSION_MAX_AGE longer.',
  },
  {
    setting: 'didit.environment',
    mode: 'production',
    refuses: ({ didit }) => didit.environment === 'sandbox',
    message: 'in the sandbox no face is checked',
    fix: 'Use a live key, or development mode on a loopback issuer.',
  },
  {
    setting: 'didit.environment',
    comparedWith: 'issuer',
    mode: 'development',
    refuses: ({ didit, issuer }) => didit.environment === 'sandbox' && !isOnLoopback(issuer),
    message: 'in the sandbox no face is checked, so it needs an issuer on a loopback host',
    fix: 'Use http://127.0.0.1 or http://localhost as issuer, or a live key.',
  },
  {
    setting: 'didit.webhookSecrets',
    mode: 'production',
    refuses: ({ didit }) =>
      didit.webhookSecrets.some((text) => isGuessable(parseSecret(text)?.secret ?? '')),
    message: 'a webhook secret is one that others know or can guess',
    fix: "Copy the secret of the webhook destination from Didit's console.",
  },
  {
    setting: 'didit.apiBaseUrl',
    mode: 'production',
    refuses: ({ didit }) => isPlainHttp(didit.apiBaseUrl),
    message: 'the API key and faces must travel over https',
    fix: 'Write the address with https.',
  },
  {
    setting: 'didit.hostedOrigins',
    mode: 'production',
    refuses: ({ didit }) => didit.hostedOrigins.some(isPlainHttp),
    message: 'a selfie must be taken on an https page',
    fix: 'Write every origin with https.',
  },
  {
    setting: 'didit.mediaOrigins',
    mode: 'production',
    refuses: ({ didit }) => didit.mediaOrigins.some(isPlainHttp),
    message: 'a portrait must travel over https',
    fix: 'Write every origin with https.',
  },
  {
    setting: 'outgoing.allowPrivateNetworks',
    mode: 'production',
    refuses: ({ outgoing }) => outgoing.allowPrivateNetworks,
    message: 'clients could make the provider call machines inside your network',
    fix: 'Leave it out.',
  },
  {
    setting: 'pkce.required',
    mode: 'production',
    refuses: ({ pkce }) => !pkce.required,
    message: 'without PKCE a stolen code can be used by a thief',
    fix: 'Leave it out.',
  },
  {
    setting: 'dynamicRegistration.initialAccessToken',
    comparedWith: 'dynamicRegistration.enabled',
    mode: 'production',
    refuses: ({ dynamicRegistration: { enabled, initialAccessToken } }) =>
      enabled && (initialAccessToken === undefined || isGuessable(initialAccessToken)),
    message: 'registration is open to everybody without a token that nobody can guess',
    fix: 'Set DYNAMIC_REGISTRATION_INITIAL_ACCESS_TOKEN to a random one.',
  },
  {
    setting: 'mail.from',
    comparedWith: 'mail.smtpUrl',
    mode: 'any',
    refuses: ({ mail }) => mail.smtpUrl !== undefined && mail.from === undefined,
    message: 'mails need a sender',
    fix: 'Set MAIL_FROM to an address that the mail server may send from.',
  },
  {
    setting: 'registration',
    comparedWith: 'mail.smtpUrl',
    mode: 'production',
    refuses: ({ registration, mail }) => registration !== 'off' && mail.smtpUrl === undefined,
    message: 'who enrols has to be written to, and there is no mail server',
    fix: 'Set SMTP_URL and MAIL_FROM, or leave REGISTRATION off.',
  },
  {
    setting: 'registration',
    comparedWith: 'didit.workflows.kyc',
    mode: 'production',
    refuses: ({ registration, didit }) =>
      registration !== 'off' && didit.workflows.kyc === undefined,
    message: 'who enrols has to be checked, and there is no workflow for it',
    fix: 'Set DIDIT_WORKFLOW_KYC, or leave REGISTRATION off.',
  },
];

const cookieSecrets = (keys: readonly string[]): string[] =>
  keys.map((key) => parseDated(key)?.secret ?? key);

/**
 * Keys from documentation and from fingers resting on a keyboard; a random one is never among
 * them.
 */
function isGuessable(value: string): boolean {
  const published = /change.?me|secret.?key|rotated.away|placeholder|the-secret-of|long-random/i;
  return new Set(value).size < 6 || published.test(value);
}
