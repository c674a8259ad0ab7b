/** What phones do to attempts, for the model of the door. */
import fc from 'fast-check';
import type { AttemptEvent } from '../../src/domain/attempt.ts';
import { capture, decided, events, play, startMs } from './samples.ts';

const place = { network: '198.51.100/24', browser: 'Safari', system: 'iOS' };
const from = {
  place: { network: '192.0.2/24', browser: 'Chrome', system: 'Windows' },
  country: 'DE',
};
const codeHash = fc.constantFrom('code', 'code', 'code', 'another code');
const cookieHash = fc.constantFrom('cookie', 'cookie', 'cookie', 'cookie', 'another cookie');
const handedOff = fc.record({
  ...{ type: fc.constant('handed_off'), codeHash, salt: fc.constant('salt') },
  ...{ from: fc.constant(from), environment: fc.constant('live') },
  deviceClass: fc.constant('unknown'),
});
const claimed = fc.record({
  ...{ type: fc.constant('claimed'), codeHash, cookieHash, place: fc.constant(place) },
});
const capturedByPhone = fc.record({
  type: fc.constant('captured'),
  capture: fc.record({ codeHash, cookieHash }).map((of) => ({
    ...{ ...capture, place },
    handoff: { ...of, from, relation: 'same_country' as const },
  })),
});
const hash = fc.constantFrom('right', 'right', 'wrong');
const shown = fc.record({ type: fc.constant('code_shown'), hash: fc.constant('right') });
const typed = fc.record({ type: fc.constant('code_typed'), hash });

const rightPhone = { codeHash: 'code', cookieHash: 'cookie' };
const handoff = { ...rightPhone, from, relation: 'same_country' } as const;
const allRight: Record<'taken' | 'approved' | 'typed', readonly AttemptEvent[]> = {
  taken: [
    {
      type: 'handed_off',
      codeHash: 'code',
      salt: 'salt',
      from,
      environment: 'live',
      deviceClass: 'unknown',
    },
    { type: 'claimed', ...rightPhone, place },
    { type: 'captured', capture: { ...capture, place, handoff } },
  ],
  approved: [events.approved, { ...events.returned, cookieHash: 'cookie' }],
  typed: [
    { type: 'code_shown', hash: 'right' },
    { type: 'code_typed', hash: 'right' },
  ],
};
/** It has taken the code on, and began the selfie. */
export const onPhone = play(decided, allRight.taken, startMs);

/** A phone that helps: as a rule the one that took the code on, and brings the right code back. */
export function helpingWith(
  judged: fc.Arbitrary<AttemptEvent>,
  nonceHash: fc.Arbitrary<string>,
): fc.Arbitrary<readonly AttemptEvent[]> {
  const returned = { type: fc.constant('returned'), nonceHash } as const;
  const cameBack: fc.Arbitrary<AttemptEvent> = fc.oneof(
    { weight: 5, arbitrary: fc.record({ ...returned, cookieHash }) },
    { weight: 1, arbitrary: fc.record(returned) },
  );
  return fc.oneof(
    { weight: 2, arbitrary: fc.tuple(handedOff, claimed, capturedByPhone) },
    { weight: 3, arbitrary: fc.constant(allRight.taken) },
    { weight: 5, arbitrary: fc.constant(allRight.approved) },
    { weight: 5, arbitrary: fc.constant(allRight.typed) },
    { weight: 2, arbitrary: fc.oneof(handedOff, claimed, capturedByPhone).map((one) => [one]) },
    { weight: 2, arbitrary: fc.tuple(judged, cameBack) },
    { weight: 2, arbitrary: fc.oneof(judged, cameBack).map((one) => [one]) },
    { weight: 2, arbitrary: fc.tuple(shown, typed) },
    { weight: 3, arbitrary: fc.oneof(shown, typed).map((one) => [one]) },
    { weight: 2, arbitrary: fc.constant([events.finished]) },
  );
}
