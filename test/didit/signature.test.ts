import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { signWebhook, verifyWebhook } from '../../src/didit/signature.ts';
import type { WebhookDelivery } from '../../src/didit/signature.ts';

const secret = 'a-webhook-secret-of-43-characters-url-safe_';
const timestamp = 1_774_970_000;
const now = timestamp * 1000 + 800;

/** Non-ASCII and unsorted, so that the raw and the canonical text differ. */
const bodyText = (at: unknown = timestamp) =>
  `{"status":"Approved","session_id":"11111111-2222-4333-8444-555555555555",` +
  `"webhook_type":"status.updated","vendor_data":"\\u304b","score":92.0,"timestamp":${JSON.stringify(at)}}`;
const rawBody = Buffer.from(bodyText());
const signed = signWebhook(rawBody, secret, timestamp);
const raw = signed['X-Signature']!;
const canonical = signed['X-Signature-V2']!;
const simple = signed['X-Signature-Simple']!;

/** A good delivery with all headers as Node's HTTP parser gives them; each test breaks one thing. */
function verify(change: Partial<WebhookDelivery> = {}) {
  const headers = {
    'x-signature': raw,
    'x-signature-v2': canonical,
    'x-signature-simple': simple,
    'x-timestamp': String(timestamp),
  };
  const delivery = { rawBody, headers, secrets: [secret], now, toleranceSeconds: 300 };
  return verifyWebhook({ ...delivery, ...change });
}

const withTimestamp = (headers: Record<string, string | string[]>) => ({
  headers: { 'x-timestamp': String(timestamp), ...headers },
});
const refusal = (reason: string) => ({ ok: false, reason });
const hex = (message: string | Buffer, key = secret) =>
  createHmac('sha256', key).update(message).digest('hex');

test('[WH-02] a delivery as Didit sends it is admitted and its body handed over', () => {
  const result = verify();
  expect(result).toMatchObject({ ok: true, matched: 'raw', secretIndex: 0, mismatched: [] });
  if (!result.ok) throw new Error(result.reason);
  expect(result.body).toMatchObject({ status: 'Approved', vendor_data: 'か' });
  expect(Object.getPrototypeOf(result.body)).toBeNull();
});

test('[WH-02] signatures made by an independent signer in Python verify, each form alone', () => {
  const file = new URL('vectors.json', import.meta.url);
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>[];
  const secrets = ['vectors-secret-of-ample-length'];
  for (const { text, raw_mac: rawMac, canonical_mac: canonicalMac } of vectors) {
    const rawBody = Buffer.from(text!);
    const byRaw = withTimestamp({ 'x-signature': rawMac! });
    const byCanonical = withTimestamp({ 'x-signature-v2': canonicalMac! });
    expect(verify({ rawBody, secrets, ...byRaw })).toMatchObject({ matched: 'raw' });
    expect(verify({ rawBody, secrets, ...byCanonical })).toMatchObject({ matched: 'canonical' });
  }
});

test('[WH-02] one valid full-body signature admits and a wrong one beside it is reported', () => {
  const wrong = hex('something else');
  expect(
    verify(withTimestamp({ 'x-signature': wrong, 'x-signature-v2': canonical })),
  ).toMatchObject({ ok: true, matched: 'canonical', mismatched: ['raw'] });
  expect(verify(withTimestamp({ 'x-signature': raw, 'x-signature-v2': wrong }))).toMatchObject({
    ok: true,
    matched: 'raw',
    mismatched: ['canonical'],
  });
});

test('[WH-02] the Simple signature alone is refused', () => {
  const result = verify(withTimestamp({ 'x-signature-simple': simple }));
  expect(result).toEqual(refusal('signature_missing'));
});

test.each([
  ['the Simple value in X-Signature-V2', { 'x-signature-v2': simple }],
  ['the Simple value in X-Signature', { 'x-signature': simple }],
  ['the raw value in X-Signature-V2', { 'x-signature-v2': raw }],
  ['the V2 value in X-Signature', { 'x-signature': canonical }],
  ['a MAC over timestamp and body', { 'x-signature-v2': hex(`${timestamp}:${bodyText()}`) }],
])('[WH-03] %s is refused', (_, headers) => {
  expect(verify(withTimestamp(headers))).toEqual(refusal('signature_mismatch'));
});

test.each([
  ['a repeated header', { 'x-signature': [raw, raw] }, 'header_repeated'],
  ['two spellings of one name', { 'x-signature': raw, 'X-Signature': raw }, 'header_repeated'],
  ['comma-joined values', { 'x-signature': `${raw}, ${raw}` }, 'signature_malformed'],
  [
    'a malformed one beside a good one',
    { 'x-signature': raw, 'x-signature-v2': '' },
    'signature_malformed',
  ],
  [
    'a repeated timestamp',
    { 'x-signature': raw, 'x-timestamp': ['1', String(timestamp)] },
    'header_repeated',
  ],
])('[WH-03] %s is refused', (_, headers, reason) => {
  expect(verify(withTimestamp(headers))).toEqual(refusal(reason));
});

test('[WH-03] names of headers and digits of a MAC have no case', () => {
  const headers = { 'X-Signature': raw.toUpperCase(), 'X-Timestamp': String(timestamp) };
  expect(verify({ headers })).toMatchObject({ ok: true, matched: 'raw' });
});

test.each(['__proto__', 'constructor'])(
  '[WH-04] a correctly signed body with the key %s is refused',
  (key) => {
    const rawBody = Buffer.from(bodyText().replace('"score"', `"${key}":{"prototype":{}},"score"`));
    const headers = { 'x-signature': hex(rawBody), 'x-timestamp': String(timestamp) };
    expect(verify({ rawBody, headers })).toEqual(refusal('body_invalid'));
  },
);

test.each([
  ['duplicate keys', '{"status":"Declined","status":"Approved"}'],
  ['an array', '[]'],
  ['null', 'null'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
  ['100,000 levels', '['.repeat(100_000)],
])('[WH-04] a correctly signed body of %s is refused', (_, body) => {
  const rawBody = Buffer.from(body);
  const headers = { 'x-signature': hex(rawBody), 'x-timestamp': String(timestamp) };
  expect(verify({ rawBody, headers })).toEqual(refusal('body_invalid'));
});

test.each([
  '',
  'a',
  'a'.repeat(63),
  'a'.repeat(65),
  'g'.repeat(64),
  '٣'.repeat(64),
  `${'a'.repeat(64)}\n`,
])('[WH-06] the signature %j is refused as malformed', (value) => {
  expect(verify(withTimestamp({ 'x-signature': value }))).toEqual(refusal('signature_malformed'));
});

test('[WH-07] an empty or short secret stops the program, a body signed with the empty key or not', () => {
  const headers = { 'x-signature': hex(rawBody, ''), 'x-timestamp': String(timestamp) };
  expect(() => verify({ headers, secrets: [''] })).toThrow(TypeError);
  expect(() => verify({ headers, secrets: [] })).toThrow(TypeError);
  expect(() => verify({ secrets: [secret, 'fifteen-letters'] })).toThrow(TypeError);
  expect(() => signWebhook(rawBody, 'short', timestamp)).toThrow(TypeError);
  expect(verify({ headers })).toEqual(refusal('signature_mismatch'));
});

test('[WH-08] an old body under a fresh header is refused', () => {
  const headers = { 'x-signature': raw, 'x-timestamp': String(timestamp + 400) };
  expect(verify({ headers, now: now + 400_000 })).toEqual(refusal('timestamp_differs'));
});

test('[WH-08] both timestamps are needed', () => {
  expect(verify({ headers: { 'x-signature': raw } })).toEqual(refusal('timestamp_missing'));
  const bare = Buffer.from('{"status":"Approved"}');
  expect(verify({ rawBody: bare, ...withTimestamp({ 'x-signature': hex(bare) }) })).toEqual(
    refusal('timestamp_missing'),
  );
});

test.each([-301, -300, 0, 300, 301])('[WH-08] a body %i s away from now', (seconds) => {
  const result = verify({ now: (timestamp + seconds) * 1000 });
  expect(result.ok).toBe(Math.abs(seconds) <= 300);
});

test.each([
  [String(timestamp), 'timestamp_malformed'],
  [timestamp + 0.5, 'timestamp_malformed'],
  [-timestamp, 'timestamp_malformed'],
  [null, 'timestamp_malformed'],
  [timestamp * 1000, 'timestamp_stale'],
])('[WH-08] the signed timestamp %j is refused', (at, reason) => {
  const rawBody = Buffer.from(bodyText(at));
  const headers = { 'x-signature': hex(rawBody), 'x-timestamp': String(at) };
  expect(verify({ rawBody, headers })).toEqual(refusal(reason));
});

test.each([` ${timestamp}`, `+${timestamp}`, `0${timestamp}`, `${timestamp}.0`])(
  '[WH-08] the header %j is not the signed timestamp',
  (header) => {
    const headers = { 'x-signature': raw, 'x-timestamp': header };
    expect(verify({ headers })).toEqual(refusal('timestamp_differs'));
  },
);

test('[WH-16] an older secret still verifies and is told apart', () => {
  const secrets = ['the-new-secret-of-the-destination', secret];
  expect(verify({ secrets })).toMatchObject({ ok: true, secretIndex: 1 });
  expect(verify({ secrets: secrets.slice(0, 1) })).toEqual(refusal('signature_mismatch'));
});

test('[WH-21] a body with any one byte changed is refused and never throws', () => {
  const byte = fc.tuple(fc.nat(rawBody.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(byte, ([at, flip]) => {
      const changed = Buffer.from(rawBody);
      changed.writeUInt8(changed.readUInt8(at) ^ flip, at);
      return !verify({ rawBody: changed, ...withTimestamp({ 'x-signature': raw }) }).ok;
    }),
    { numRuns: 2_000 },
  );
});

describe('[WH-02] the third form, over the time and the canonical text', () => {
  const body = JSON.stringify({
    ...{ webhook_type: 'status.updated', session_id: 'session-1', status: 'Approved' },
    ...{ timestamp: 1_764_000_000, name: 'Zoë 😀', score: 95.5 },
  });
  // An independent signer: Python's own JSON and MAC.
  const python = `
import hashlib, hmac, json, sys
body, secret = sys.stdin.read().split('\\n')
canonical = json.dumps(json.loads(body), sort_keys=True, separators=(',', ':'), ensure_ascii=False)
message = '1764000000:' + canonical
print(hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest())`;
  const made = spawnSync('python3', ['-c', python], { input: `${body}\n${secret}` });
  const delivery = {
    rawBody: Buffer.from(body),
    headers: { 'x-signature-v2': made.stdout.toString().trim(), 'x-timestamp': '1764000000' },
    secrets: [secret],
    now: 1_764_000_000_000,
    toleranceSeconds: 300,
  };

  it('is accepted where the operator asked for it', () => {
    expect(verifyWebhook({ ...delivery, acceptPrefixed: true })).toMatchObject({
      ok: true,
      matched: 'prefixed',
      mismatched: [],
    });
  });

  it('is refused by default, and under another time', () => {
    expect(verifyWebhook(delivery)).toEqual({ ok: false, reason: 'signature_mismatch' });
    const headers = { ...delivery.headers, 'x-timestamp': '1764000001' };
    expect(verifyWebhook({ ...delivery, headers, acceptPrefixed: true }).ok).toBe(false);
  });
});

test('[WH-07] a secret of sixteen characters is long enough, one of fifteen is not', () => {
  const [enough, short] = ['sixteen-of-these', 'fifteen-of-them'];
  const headers = signWebhook(rawBody, enough, timestamp);
  expect(verify({ headers, secrets: [enough] })).toMatchObject({ ok: true });
  expect(() => verify({ headers, secrets: [short] })).toThrow('at least 16 characters');
  expect(() => verify({ headers, secrets: [] })).toThrow('At least one webhook secret');
  expect(() => signWebhook(rawBody, short, timestamp)).toThrow('at least 16 characters');
});

test.each([
  ['a byte order mark', Buffer.concat([Buffer.from('\ufeff'), rawBody])],
  [
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
  ],
  ['a text', Buffer.from('"text"')],
  ['a list', Buffer.from('[]')],
  ['nothing', Buffer.from('null')],
])(
  '[WH-04] a body with %s is refused, though it is signed, and cannot be signed by us',
  (_name, body) => {
    const headers = { 'x-signature': hex(body), 'x-timestamp': String(timestamp) };
    expect(verify({ rawBody: body, headers })).toEqual(refusal('body_invalid'));
    expect(() => signWebhook(body, secret, timestamp)).toThrow('must be a JSON object');
  },
);

test('[WH-02] the partial signature is made as Didit makes it, and counts for nothing', () => {
  const text = `${timestamp}:11111111-2222-4333-8444-555555555555:Approved:webhook`;
  const body = Buffer.from(bodyText().replace('status.updated', 'webhook'));
  const made = signWebhook(body, secret, timestamp);
  expect(made['X-Signature-Simple']).toBe(hex(Buffer.from(text)));
  const headers = {
    'x-signature-simple': made['X-Signature-Simple'],
    'x-timestamp': String(timestamp),
  };
  expect(verify({ rawBody: body, headers })).toEqual(refusal('signature_missing'));
});
