/** One fixture for each way in which a webhook can be signed, and for each in which it can be wrong. */
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/load.ts';
import { checkDelivery, readDelivery } from '../../src/ops/doctor/delivery.ts';
import { developmentEnv } from '../config/support.ts';

const [first, second] = ['the-first-webhook-secret-012345', 'the-second-webhook-secret-01234'];
const [older] = ['an-older-webhook-secret-0123456'];
const now = Date.UTC(2026, 10, 24, 9);
const timestamp = now / 1000 - 4;
const event = {
  ...{ webhook_type: 'status.updated', session_id: 'session-1', status: 'Approved', timestamp },
  ...{ environment: 'sandbox', vendor_data: 'somebody', name: 'Zoë', score: 95.5 },
};
// Not canonical: the keys are in another order, and there are spaces.
const body = JSON.stringify(event, undefined, 1);
const canonical = JSON.stringify(
  Object.fromEntries(Object.entries(event).toSorted(([a], [b]) => (a < b ? -1 : 1))),
);

const mac = (secret: string, text: string): string =>
  createHmac('sha256', secret).update(text).digest('hex');
const at = { 'X-Timestamp': String(timestamp) };

function examine(delivery: object, env: Record<string, string> = {}): string[] {
  const resolved = resolveConfig({
    env: {
      ...{ ...developmentEnv, DIDIT_ENVIRONMENT: 'sandbox' },
      DIDIT_WEBHOOK_SECRETS: `${first},${second},${older} until 2026-11-24T00:00:00Z`,
      ...env,
    },
    readFile: () => '',
  });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  const findings = checkDelivery(
    readDelivery(JSON.stringify(delivery)),
    resolved.config.didit,
    now,
  );
  return findings.map(({ name, state, found }) => `${state} ${name}: ${found}`);
}

describe('[WH-22] a delivery that was signed', () => {
  it.each([
    [
      'over the raw body',
      { 'X-Signature': mac(first, body) },
      'ok delivery: X-Signature over the raw body, by the first secret',
    ],
    [
      'over the canonical body',
      { 'x-signature-v2': mac(first, canonical) },
      'ok delivery: X-Signature-V2 over the canonical body, by the first secret',
    ],
    [
      'over both, each in its header',
      { 'X-Signature': mac(first, body), 'X-Signature-V2': mac(first, canonical) },
      'ok delivery: X-Signature over the raw body, and X-Signature-V2 over the canonical body, by the first secret',
    ],
    [
      'over the time and the canonical body, which is not accepted',
      { 'X-Signature-V2': mac(first, `${timestamp}:${canonical}`) },
      'problem delivery: X-Signature-V2 over the time and the canonical body, by the first secret',
    ],
    [
      'by the second secret',
      { 'X-Signature': mac(second, body) },
      'warning delivery: X-Signature over the raw body, by the second secret',
    ],
    [
      'by a secret whose time is over',
      { 'X-Signature': mac(older, body) },
      'problem delivery: X-Signature over the raw body, by the third secret, whose time is over',
    ],
    [
      'rightly once and wrongly once',
      { 'X-Signature': mac(first, body), 'X-Signature-V2': mac(first, 'else') },
      'warning delivery: X-Signature over the raw body, by the first secret; x-signature-v2 does not fit',
    ],
    [
      'by somebody else',
      { 'X-Signature': mac('somebody-else-somebody-else', body) },
      'problem delivery: none of the secrets made x-signature (signature_mismatch)',
    ],
    [
      'by the formula that covers only a part',
      { 'X-Signature-Simple': mac(first, `${timestamp}:session-1:Approved:status.updated`) },
      'problem delivery: it cannot be checked (signature_missing)',
    ],
  ])('%s', (_name, signatures, expected) => {
    expect(examine({ headers: { ...signatures, ...at }, body })).toEqual([
      expected,
      'ok delivery time: signed 4 seconds ago',
      'ok delivery event: the end of a session',
    ]);
  });

  it('over the time and the canonical body, where that is accepted', () => {
    const headers = { 'X-Signature-V2': mac(first, `${timestamp}:${canonical}`), ...at };
    const accepted = { DIDIT_ACCEPT_PREFIXED_SIGNATURE: 'true' };
    expect(examine({ headers, body }, accepted)[0]).toMatch(
      /^ok delivery: X-Signature-V2 over the time/,
    );
  });
});

describe('[WH-22] a delivery', () => {
  const signed = (change: object, headers: object = {}): string[] => {
    const text = JSON.stringify({ ...event, ...change });
    const stamp = String(({ ...event, ...change } as { timestamp: number }).timestamp);
    return examine({
      body: text,
      headers: { 'X-Signature': mac(first, text), 'X-Timestamp': stamp, ...headers },
    });
  };

  it('that is hours old is told from one that is wrong', () => {
    const [signature, age] = signed({ timestamp: timestamp - 3 * 3_600 });
    expect(signature).toMatch(/^ok /);
    expect(age).toBe(
      'warning delivery time: signed 3 hours ago: sent now, it would be refused as stale',
    );
  });

  it('whose header says another time than its body', () => {
    expect(signed({}, { 'X-Timestamp': '1' })[1]).toBe(
      'problem delivery time: signed 4 seconds ago (timestamp_differs)',
    );
  });

  it.each([
    [
      'of the other environment',
      { environment: 'live' },
      'problem delivery event: it is of the live environment',
    ],
    [
      'of the test button',
      { environment: undefined },
      /^warning delivery event: it names no environment/,
    ],
    [
      'of another kind',
      { webhook_type: 'data.updated' },
      /^warning delivery event: not status\.updated/,
    ],
    [
      'of a selfie that is being taken',
      { status: 'In Progress' },
      'ok delivery event: a session that goes on',
    ],
    [
      'of nothing',
      { session_id: undefined },
      'problem delivery event: the body is no event of a session',
    ],
  ])('%s', (_name, change, expected) => {
    expect(signed(change).at(-1)).toMatch(expected);
  });

  it("is read from Didit's delivery log as it stands there", () => {
    const headers = { 'X-Signature': mac(first, body), ...at };
    const entry = { uuid: 'x', request_body: body, response_status: 401 };
    for (const written of [headers, JSON.stringify(headers)]) {
      expect(examine({ ...entry, request_header: written })[0]).toMatch(/^ok /);
    }
  });

  it.each([
    ['no JSON', 'garbage', /is not JSON/],
    ['no delivery', '{"to":"nobody"}', /needs "headers" and "body"/],
    ['a body that was parsed', '{"headers":{},"body":{"a":1}}', /not JSON within the JSON/],
  ])('that is %s is refused with a sentence', (_name, text, message) => {
    expect(() => readDelivery(text)).toThrow(message);
  });

  it('gives nothing away of a person or a secret', () => {
    const said = JSON.stringify([signed({}), signed({ environment: 'live' })]);
    for (const hidden of ['somebody', 'session-1', 'Zoë', first])
      expect(said).not.toContain(hidden);
  });
});
