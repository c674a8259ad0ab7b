/**
 * config/ turns what an operator wrote, in a file, the environment and on the command line, into
 * one `Config`, or into the list of everything that is wrong with it. Only the composition root and
 * the command line use it: other rooms are handed the values they need.
 *
 * This file is the single source of truth. The file's keys, the environment's names, the reference
 * in docs/configuration.md, config/schema.json and config/example.yaml all come from it. What is
 * never right is refused here; what is right on a developer's machine only is refused by safety.ts.
 */
import { z } from 'zod';
import { audit } from './schema-audit.ts';
import { cost } from './schema-cost.ts';
import { didit } from './schema-didit.ts';
import * as kind from './kinds.ts';
import { keys } from './schema-keys.ts';
import { limits } from './schema-limits.ts';
import { securityContact } from './schema-operator.ts';
import { networks } from './schema-networks.ts';
import { mail, people, registration, reviews } from './schema-people.ts';

const { setting, listOf, oneOf } = kind;

const management = z
  .strictObject({
    host: setting(kind.text, 'The address that the management listener binds.', {
      env: 'MANAGEMENT_HOST',
    }).default('127.0.0.1'),
    port: setting(
      kind.port,
      'The port of the management listener: health, readiness and metrics. Never make it public.',
      { env: 'MANAGEMENT_PORT' },
    ).default(9000),
    origin: setting(
      kind.origin,
      'The address by which operators reach the console. HTTPS, except on a loopback host, ' +
        'where an SSH tunnel ends. http://127.0.0.1 and the port stand in when absent.',
      { env: 'MANAGEMENT_ORIGIN', example: 'https://operations.example.com' },
    ).optional(),
  })
  .describe('A second listener for those who run the service.');

const log = z
  .strictObject({
    level: setting(
      oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
      'The least severe events that are logged, one JSON line each.',
      { env: 'LOG_LEVEL' },
    ).default('info'),
  })
  .describe('What is logged. Faces, tokens, keys and addresses never are.');

const store = z
  .strictObject({
    url: setting(
      kind.storeUrl,
      'Where records are kept. SQLite serves one process on one machine, Redis any number.',
      { env: 'STORE_URL', envWhenAbsent: 'REDIS_URL', secret: true },
    ).default('sqlite:didit-oidc.sqlite'),
    encryptionKeys: setting(
      listOf(kind.encryptionKey),
      'Keys that seal every record, newest first. To rotate, see docs/keys.md; keep the old ' +
        'ones, since records sealed with them can be read with nothing else. ' +
        'Only sqlite::memory: does without: it makes one up at each start.',
      { env: 'STORE_ENCRYPTION_KEYS', secret: true },
    ).default([]),
  })
  .describe('Where records are kept and how they are sealed.');

const cookies = z
  .strictObject({
    keys: setting(
      listOf(kind.cookieKey),
      'Keys that sign cookies, newest first, at least 32 bytes each. To rotate, see docs/keys.md. Development makes ' +
        'one up at each start when there is none.',
      { env: 'COOKIE_KEYS', secret: true },
    ).default([]),
  })
  .describe('How cookies are signed.');

const session = z
  .strictObject({
    ttlSeconds: setting(
      kind.duration,
      'A single sign-on session ends when it was not used for so long.',
      { env: 'SESSION_TTL' },
    ).prefault('8h'),
    maxAgeSeconds: setting(
      kind.duration,
      'A single sign-on session ends so long after the login, however much it is used. One ' +
        'that began without a selfie, by two codes, ends after an hour at the latest.',
      { env: 'SESSION_MAX_AGE' },
    ).prefault('14d'),
  })
  .describe('How long a login lasts before the next selfie.');

const operator = z
  .strictObject({
    name: setting(
      kind.text,
      "What the service is called on its pages. The issuer's host stands in when absent.",
      { env: 'OPERATOR_NAME', example: 'Example sign-in' },
    ).optional(),
    logo: setting(kind.fileName, 'A PNG, JPEG or WebP file shown on the pages.', {
      env: 'OPERATOR_LOGO',
      file: true,
      example: 'logo.png',
    }).optional(),
    colour: setting(
      kind.colour,
      'The accent colour. One that cannot be read on the page is not used.',
      { env: 'OPERATOR_COLOUR', example: '#3355aa' },
    ).optional(),
    supportAddress: setting(kind.mailAddress, 'Where people who cannot sign in get help.', {
      env: 'OPERATOR_SUPPORT_ADDRESS',
      example: 'help@example.com',
    }).optional(),
    securityContact: securityContact.optional(),
    privacyUrl: setting(kind.webAddress, 'The privacy notice.', {
      env: 'OPERATOR_PRIVACY_URL',
      example: 'https://example.com/privacy',
    }).optional(),
    termsUrl: setting(kind.webAddress, 'The terms of use.', {
      env: 'OPERATOR_TERMS_URL',
      example: 'https://example.com/terms',
    }).optional(),
    dataController: setting(
      kind.text,
      'Who is responsible for the face data, as named in the consent. The name stands in ' +
        'when absent.',
      { env: 'OPERATOR_DATA_CONTROLLER', example: 'Example Ltd, 1 Example Street, Example City' },
    ).optional(),
  })
  .describe("The operator's own words on the pages.");

const outgoing = z
  .strictObject({
    allowPrivateNetworks: setting(
      kind.flag,
      'Whether addresses that clients give (keys, logout) may lie in private networks. ' +
        'For tests only.',
      { env: 'OUTGOING_ALLOW_PRIVATE_NETWORKS' },
    ).default(false),
  })
  .describe('Requests that the provider makes to addresses chosen by clients.');

const pkce = z
  .strictObject({
    required: setting(kind.flag, 'Whether every authorization request must use PKCE.', {
      env: 'PKCE_REQUIRED',
    }).default(true),
  })
  .describe('Proof Key for Code Exchange, RFC 7636.');

const dynamicRegistration = z
  .strictObject({
    enabled: setting(kind.flag, 'Whether clients may register themselves (RFC 7591).', {
      env: 'DYNAMIC_REGISTRATION_ENABLED',
    }).default(false),
    initialAccessToken: setting(
      kind.secret,
      'The bearer token that a registration must carry. Production requires it.',
      {
        env: 'DYNAMIC_REGISTRATION_INITIAL_ACCESS_TOKEN',
        secret: true,
        example: 'a-long-random-bearer-token',
      },
    ).optional(),
  })
  .describe('Clients that register themselves.');

export const configSchema = z.strictObject({
  mode: setting(
    oneOf('production', 'development'),
    'Production refuses to start with anything unsafe; development allows it on one machine.',
    { env: 'MODE' },
  ).default('production'),
  issuer: setting(
    kind.origin,
    'The public address of this provider, exactly as its clients write it. HTTPS, except ' +
      'in development on a loopback host.',
    { env: 'ISSUER', example: 'https://login.example.com' },
  ),
  host: setting(
    kind.text,
    'The address that the public listener binds. Behind a proxy on the same machine ' +
      'leave it; in a container set 0.0.0.0.',
    { env: 'HOST' },
  ).default('127.0.0.1'),
  port: setting(kind.port, 'The port of the public listener.', { env: 'PORT' }).default(3000),
  trustProxy: setting(
    kind.proxies,
    'Whose X-Forwarded-* headers are believed. Off by default: else a visitor could ' +
      'choose the address we see.',
    { env: 'TRUST_PROXY' },
  ).default(false),
  jwksFile: setting(
    kind.fileName,
    'A JSON Web Key Set with the private keys that sign tokens, newest first. ' +
      'Development makes one up at each start when there is none.',
    { env: 'JWKS_FILE', file: true, example: 'jwks.json' },
  ).optional(),
  clientsFile: setting(
    kind.fileName,
    'The relying parties that the operator registered, in YAML.',
    {
      env: 'CLIENTS_FILE',
      file: true,
      example: 'clients.yaml',
    },
  ).optional(),
  accountsFile: setting(
    kind.fileName,
    'People with their portraits, enrolled at start when they are not there yet, in YAML.',
    { env: 'ACCOUNTS_FILE', file: true, example: 'accounts.yaml' },
  ).optional(),
  policyFile: setting(
    kind.policyName,
    'How much proof a sign-in takes, by rules in YAML; see docs/policy.md.',
    { env: 'POLICY_FILE', file: true, shippedPolicy: true },
  ).default('standard'),
  policyShadowFile: setting(
    kind.policyName,
    'A second policy that decides beside the one in force and is logged, without effect.',
    { env: 'POLICY_SHADOW_FILE', file: true, shippedPolicy: true, example: 'strict' },
  ).optional(),
  management: management.prefault({}),
  log: log.prefault({}),
  store: store.prefault({}),
  cookies: cookies.prefault({}),
  keys: keys.prefault({}),
  session: session.prefault({}),
  didit,
  limits: limits.prefault({}),
  cost: cost.prefault({}),
  networks: networks.prefault({}),
  registration,
  mail: mail.prefault({}),
  people: people.prefault({}),
  reviews: reviews.prefault({}),
  audit: audit.prefault({}),
  operator: operator.prefault({}),
  outgoing: outgoing.prefault({}),
  pkce: pkce.prefault({}),
  dynamicRegistration: dynamicRegistration.prefault({}),
});

/** The whole configuration, complete and checked. */
export type Config = z.output<typeof configSchema>;

/** The same as an operator may write it: durations as text, defaults left out. */
export type ConfigInput = z.input<typeof configSchema>;
