/**
 * Didit's signatures over a webhook.
 *
 * Accepted is a closed list: each of the two headers whose MAC covers the whole body, each only with its own
 * formula. `X-Signature-Simple` leaves the decision uncovered and is never looked at. No MAC covers
 * `X-Timestamp`, so freshness is that of the `timestamp` inside the body, which the header must repeat.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readCanonicalJson } from './canonical.ts';
import type { JsonObject } from './canonical.ts';

/**
 * `raw`: X-Signature, over the bytes as sent. `canonical`: X-Signature-V2, over the canonical text. `prefixed`: the
 * same header over `timestamp:` and the canonical text, as one of Didit's pages has it; off unless asked for.
 */
export type SignatureForm = 'raw' | 'canonical' | 'prefixed';

export type WebhookRefusal =
  | 'header_repeated'
  | 'signature_missing'
  | 'signature_malformed'
  | 'signature_mismatch'
  | 'body_invalid'
  | 'timestamp_missing'
  | 'timestamp_malformed'
  | 'timestamp_differs'
  | 'timestamp_stale';

export type WebhookVerification =
  | {
      ok: true;
      matched: SignatureForm;
      /** Which of the secrets matched; above 0 an old one is still in use. */
      secretIndex: number;
      /** Full-body signatures that were sent and did not match: worth counting, no reason to refuse. */
      mismatched: readonly SignatureForm[];
      body: JsonObject;
    }
  | { ok: false; reason: WebhookRefusal };

export interface WebhookDelivery {
  rawBody: Buffer;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Newest first. Each is used as UTF-8 text, although it looks like base64. */
  secrets: readonly string[];
  acceptPrefixed?: boolean;
  /** Milliseconds since the epoch. */
  now: number;
  toleranceSeconds: number;
}

const headerOf = { raw: 'x-signature', v2: 'x-signature-v2' } as const;
const headerNames = ['raw', 'v2'] as const;
const secretLengthMin = 16;

export function verifyWebhook(delivery: WebhookDelivery): WebhookVerification {
  checkSecrets(delivery.secrets);
  const headers = readHeaders(delivery.headers);
  if (!headers.ok) return headers;

  const json = readBody(delivery.rawBody);
  // A body that cannot be read has no canonical text, and one that is not an object cannot be acted upon.
  if (json === undefined) return refuse('body_invalid');
  const { raw, v2 } = headers.signatures;
  const prefixed = `${headers.timestamp}:${json.canonical}`;
  const results = [
    tryForms(delivery.secrets, raw, [['raw', delivery.rawBody]]),
    tryForms(delivery.secrets, v2, [
      ['canonical', json.canonical],
      ...(delivery.acceptPrefixed ? ([['prefixed', prefixed]] as const) : []),
    ]),
  ].filter((result) => result !== undefined);
  const match = results.find(({ secretIndex }) => secretIndex >= 0);
  if (match === undefined) return refuse('signature_mismatch');

  const staleness = checkTimestamp(json.body, headers.timestamp, delivery);
  if (staleness !== undefined) return refuse(staleness);
  return {
    ok: true,
    matched: match.form,
    secretIndex: match.secretIndex,
    mismatched: results.filter(({ secretIndex }) => secretIndex < 0).map(({ form }) => form),
    body: json.body,
  };
}

/** The headers with which Didit would send this body. Throws when the body is not a JSON object. */
export function signWebhook(
  rawBody: Buffer,
  secret: string,
  timestampSeconds: number,
): Record<string, string> {
  checkSecrets([secret]);
  const json = readBody(rawBody);
  if (json === undefined) throw new TypeError('A webhook body must be a JSON object.');
  const { session_id: diditSessionId, status, webhook_type: webhookType } = json.body;
  const simple = [timestampSeconds, diditSessionId, status, webhookType].map(String).join(':');
  return {
    'X-Signature': mac(secret, rawBody).toString('hex'),
    'X-Signature-V2': mac(secret, json.canonical).toString('hex'),
    'X-Signature-Simple': mac(secret, simple).toString('hex'),
    'X-Timestamp': String(timestampSeconds),
  };
}

function refuse(reason: WebhookRefusal): { ok: false; reason: WebhookRefusal } {
  return { ok: false, reason };
}

/** A missing secret must stop the program: with the empty key anybody can sign. */
function checkSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0) throw new TypeError('At least one webhook secret is needed.');
  if (secrets.some((secret) => secret.length < secretLengthMin)) {
    throw new TypeError(`A webhook secret must have at least ${secretLengthMin} characters.`);
  }
}

interface ReadHeaders {
  ok: true;
  signatures: Partial<Record<(typeof headerNames)[number], string>>;
  timestamp: string;
}

function readHeaders(
  headers: WebhookDelivery['headers'],
): ReadHeaders | { ok: false; reason: WebhookRefusal } {
  const signatures: ReadHeaders['signatures'] = {};
  for (const name of headerNames) {
    const values = valuesOf(headers, headerOf[name]);
    if (values.length > 1) return refuse('header_repeated');
    const [value] = values;
    if (value === undefined) continue;
    // Buffer.from(…, 'hex') silently stops at the first character that is none, hence the strict test. It
    // also refuses two values that an HTTP parser joined with a comma.
    if (!/^[0-9a-f]{64}$/i.test(value)) return refuse('signature_malformed');
    signatures[name] = value;
  }
  if (Object.keys(signatures).length === 0) return refuse('signature_missing');

  const timestamps = valuesOf(headers, 'x-timestamp');
  if (timestamps.length > 1) return refuse('header_repeated');
  const [timestamp] = timestamps;
  return timestamp === undefined
    ? refuse('timestamp_missing')
    : { ok: true, signatures, timestamp };
}

/** Header names have no case; two spellings of one name are the same header twice. */
function valuesOf(headers: WebhookDelivery['headers'], name: string): string[] {
  return Object.entries(headers).flatMap(([key, value]) =>
    key.toLowerCase() === name && value !== undefined ? value : [],
  );
}

function readBody(rawBody: Buffer): { body: JsonObject; canonical: string } | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(rawBody);
  } catch {
    return undefined;
  }
  const json = readCanonicalJson(text);
  if (!json.ok || json.value === null) return undefined;
  if (typeof json.value !== 'object' || Array.isArray(json.value)) return undefined;
  return { body: json.value, canonical: json.canonical };
}

/** @returns undefined when the header was not sent; `secretIndex` -1 when no form of it matches. */
function tryForms(
  secrets: readonly string[],
  hex: string | undefined,
  messages: readonly (readonly [SignatureForm, Buffer | string])[],
): { form: SignatureForm; secretIndex: number } | undefined {
  const [first] = messages;
  if (hex === undefined || !first) return undefined;
  for (const [form, message] of messages) {
    const secretIndex = findSecret(secrets, message, hex);
    if (secretIndex >= 0) return { form, secretIndex };
  }
  return { form: first[0], secretIndex: -1 };
}

function findSecret(secrets: readonly string[], message: Buffer | string, hex: string): number {
  const claimed = Buffer.from(hex, 'hex');
  return secrets.findIndex((secret) => timingSafeEqual(mac(secret, message), claimed));
}

function mac(secret: string, message: Buffer | string): Buffer {
  return createHmac('sha256', secret).update(message).digest();
}

function checkTimestamp(
  body: JsonObject,
  header: string,
  { now, toleranceSeconds }: WebhookDelivery,
): WebhookRefusal | undefined {
  const { timestamp } = body;
  if (timestamp === undefined) return 'timestamp_missing';
  if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    return 'timestamp_malformed';
  }
  // Compared as text, so that the header has exactly one spelling.
  if (header !== String(timestamp)) return 'timestamp_differs';
  const ageMs = Math.abs(now - timestamp * 1000);
  return ageMs > toleranceSeconds * 1000 ? 'timestamp_stale' : undefined;
}
