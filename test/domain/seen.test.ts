/** What a policy makes of an approved selfie: it may lower the verdict, and never raise one. */
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../src/config/policies.ts';
import type { Decision, Verdict } from '../../src/domain/decision.ts';
import { boundByPolicy } from '../../src/domain/seen.ts';
import { approved, decision } from './samples.ts';

const [standard, strict] = [loadPolicy('standard'), loadPolicy('strict')];
const here = { decision, locality: 'agrees', handoff: 'none' } as const;
const warning = (risk: string): Decision => ({
  ...decision,
  warnings: [{ risk, logType: 'information' }],
});

describe('after a selfie', () => {
  test.each<
    [string, Partial<Parameters<typeof boundByPolicy>[1]>, Verdict['outcome'], Verdict['outcome']]
  >([
    ['in the place that asked', {}, 'approved', 'approved'],
    ['in a network that cannot be compared', { locality: 'cannot_tell' }, 'approved', 'declined'],
    ['behind a VPN', { decision: { ...decision, isVpnOrTor: true } }, 'approved', 'in_review'],
    [
      'from a data centre',
      { decision: { ...decision, isDataCenter: true } },
      'approved',
      'in_review',
    ],
    [
      'in a private network',
      { decision: warning('PRIVATE_NETWORK_DETECTED') },
      'approved',
      'in_review',
    ],
    [
      'at another address',
      { decision: warning('EXPECTED_IP_ADDRESS_MISMATCH') },
      'approved',
      'in_review',
    ],
    ['by a face seen elsewhere', { decision: warning('DUPLICATED_FACE') }, 'approved', 'in_review'],
    [
      'by a device seen elsewhere',
      { decision: warning('DUPLICATED_DEVICE_FINGERPRINT') },
      'approved',
      'in_review',
    ],
    ['on a phone in the same network', { handoff: 'same_network' }, 'approved', 'approved'],
    ['on a phone in another country', { handoff: 'other_country' }, 'declined', 'declined'],
    ['on a phone that is who knows where', { handoff: 'cannot_tell' }, 'approved', 'declined'],
  ])('%s', (_, seen, byStandard, byStrict) => {
    expect(boundByPolicy(approved, { policy: standard, ...here, ...seen }).outcome).toBe(
      byStandard,
    );
    const bound = boundByPolicy(approved, { policy: strict, ...here, ...seen });
    expect(bound.outcome).toBe(byStrict);
    if (byStrict !== 'approved') expect(bound.reason).toMatch(/^policy: /);
  });

  test('what was not approved, or was taken elsewhere, is left as it is', () => {
    for (const outcome of ['declined', 'in_review', 'not_finished', 'pending'] as const) {
      const verdict = { outcome, reason: 'before' };
      expect(boundByPolicy(verdict, { policy: standard, ...here })).toBe(verdict);
    }
    for (const locality of ['differs', 'unknown'] as const) {
      expect(boundByPolicy(approved, { policy: strict, ...here, locality })).toBe(approved);
    }
  });
});
