/** After an approved selfie: what Didit saw of the device that took it, and what the policy makes of that. */
import type { Decision, Verdict } from './decision.ts';
import type { Locality } from './locality.ts';
import { type Policy, decideAfterwards } from './policy.ts';
import type { SeenSignals } from './signals.ts';

const duplicates = new Set([
  ...['DUPLICATED_FACE', 'POSSIBLE_DUPLICATED_FACE', 'DUPLICATED_DEVICE_FINGERPRINT'],
]);

function seenSignals(
  { warnings, isVpnOrTor, isDataCenter }: Decision,
  locality: SeenSignals['locality'],
  handoff: SeenSignals['handoff'],
): SeenSignals {
  const isRaised = (isMeant: (risk: string) => boolean): boolean =>
    warnings.some(({ risk }) => isMeant(risk));
  return {
    ...{ locality, handoff },
    seen_vpn_or_tor: isVpnOrTor || isRaised((risk) => risk === 'PRIVATE_NETWORK_DETECTED'),
    seen_data_center: isDataCenter,
    seen_duplicate: isRaised((risk) => duplicates.has(risk)),
    seen_other_address: isRaised((risk) => risk === 'EXPECTED_IP_ADDRESS_MISMATCH'),
  };
}

/** A policy may lower a verdict, and never raise one. What another place has denied already is not its business. */
export function boundByPolicy(
  verdict: Verdict,
  {
    policy,
    decision,
    locality,
    handoff,
  }: { policy: Policy; decision: Decision; locality: Locality; handoff: SeenSignals['handoff'] },
): Verdict {
  if (verdict.outcome !== 'approved') return verdict;
  if (locality !== 'agrees' && locality !== 'cannot_tell') return verdict;
  const { action, rule } = decideAfterwards(policy, seenSignals(decision, locality, handoff));
  const reason = `policy: ${rule}`;
  switch (action) {
    case 'accept':
      return verdict;
    case 'deny':
      return { outcome: 'declined', reason };
    case 'review':
      return { outcome: 'in_review', reason };
  }
}
