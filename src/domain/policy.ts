/**
 * How much proof a moment needs. A policy is two lists of rules, written by the operator (config/policy-file.ts): one
 * is asked before the selfie, the other after it. The first rule that matches decides, and the last one matches always.
 */
import type { SeenSignalName, SeenSignals, SignalName, Signals } from './signals.ts';

/**
 * `selfie_active`: with movement before the camera. `fallback`: another factor first; when one was shown, the policy
 * is asked again. `review`: somebody looks at it, and nobody comes in meanwhile.
 */
export type Action = 'skip' | 'selfie' | 'selfie_active' | 'fallback' | 'deny' | 'review';
export type Afterwards = 'accept' | 'deny' | 'review';

export type Word = string | boolean;

/** One of several words, or a number within limits; a limit that is left out is none. */
export type Condition<Name extends string> =
  { signal: Name; anyOf: readonly Word[] } | { signal: Name; atLeast?: number; below?: number };

/** All of its conditions must hold; none always do. */
export interface RuleOf<Name extends string, Result extends string> {
  /** In plain words: it is what "explain this login" shows. */
  name: string;
  when: readonly Condition<Name>[];
  then: Result;
}

export type Rule = RuleOf<SignalName, Action>;
export type SeenRule = RuleOf<SeenSignalName, Afterwards>;
export type Rules<R> = readonly [R, ...R[]];

export interface Policy {
  name: string;
  /** `portrait`: only with a reference face that we keep and send ourselves. */
  reference: 'any' | 'portrait';
  /** A device key does not stand for a selfie before it is so old. */
  deviceKeyRestSeconds: number;
  /** A device key that was not used for so long is forgotten. */
  deviceKeyIdleSeconds: number;
  before: Rules<Rule>;
  afterwards: Rules<SeenRule>;
  /** What the rules before the selfie look at: nothing else needs to be found out. */
  needs: ReadonlySet<SignalName>;
}

interface DecisionOf<Seen, Result> {
  action: Result;
  policy: string;
  rule: string;
  /**
   * What the rules that were looked at asked for, and nothing else of the person. With it the same policy decides the
   * same again. Infinity is left out: JSON has none, and a number that is missing counts as Infinity where it can be.
   */
  signals: Partial<Seen>;
}

export type Decision = DecisionOf<Signals, Action>;
export type SeenDecision = DecisionOf<SeenSignals, Afterwards>;

/** Nothing could be told: the base to spread over whatever is known. */
export const unknownSignals: Readonly<Signals> = {
  ...{ device: 'new', factor: 'none' },
  ...{ network: 'new', country: 'new', autonomous_system: 'new' },
  ...{ tor: false, vpn: false, hosting: false, travel: 'possible' },
  ...{ hours_since_proof: Infinity, failures: 0, starts: 1, drift: 'none' },
};

export const unknownSeenSignals: Readonly<SeenSignals> = {
  ...{ locality: 'cannot_tell', handoff: 'cannot_tell' },
  ...{ seen_vpn_or_tor: false, seen_data_center: false },
  ...{ seen_duplicate: false, seen_other_address: false },
};

/** A signal's words, or the least that its number can be. */
export type Values = readonly Word[] | { from: number; isWhole: boolean };
type ValuesOf<S> = {
  readonly [N in keyof S]: S[N] extends number
    ? { from: number; isWhole: boolean }
    : readonly S[N][];
};

const newOrKnown = ['known', 'new'] as const;
const yesOrNo = [true, false] as const;

/** What a rule can say about each signal. */
export const signalValues: ValuesOf<Signals> = {
  device: ['known', 'resting', 'new'],
  factor: ['shown', 'none'],
  network: newOrKnown,
  country: newOrKnown,
  autonomous_system: newOrKnown,
  tor: yesOrNo,
  vpn: yesOrNo,
  hosting: yesOrNo,
  travel: ['possible', 'impossible'],
  hours_since_proof: { from: 0, isWhole: false },
  failures: { from: 0, isWhole: true },
  starts: { from: 1, isWhole: true },
  drift: ['near', 'none'],
};

export const seenSignalValues: ValuesOf<SeenSignals> = {
  locality: ['agrees', 'cannot_tell'],
  seen_vpn_or_tor: yesOrNo,
  seen_data_center: yesOrNo,
  seen_duplicate: yesOrNo,
  seen_other_address: yesOrNo,
  handoff: ['none', 'same_network', 'same_country', 'other_country', 'cannot_tell'],
};

export function decide({ name, before }: Policy, signals: Signals): Decision {
  return firstMatch(name, before, signals);
}

export function decideAfterwards({ name, afterwards }: Policy, seen: SeenSignals): SeenDecision {
  return firstMatch(name, afterwards, seen);
}

function firstMatch<Seen extends object, Result extends string>(
  policy: string,
  rules: Rules<RuleOf<keyof Seen & string, Result>>,
  seen: Seen,
): DecisionOf<Seen, Result> {
  let last = rules[0];
  const lookedAt = new Set<keyof Seen & string>();
  for (const rule of rules) {
    last = rule;
    for (const { signal } of rule.when) lookedAt.add(signal);
    if (rule.when.every((condition) => holds(condition, seen[condition.signal]))) break;
  }
  const signals: Partial<Seen> = {};
  for (const signal of lookedAt) if (seen[signal] !== Infinity) signals[signal] = seen[signal];
  return { action: last.then, policy, rule: last.name, signals };
}

function holds(condition: Condition<string>, value: unknown): boolean {
  if ('anyOf' in condition) return condition.anyOf.includes(value as Word);
  const { atLeast = -Infinity, below } = condition;
  if (typeof value !== 'number' || Number.isNaN(value)) return false;
  return value >= atLeast && (below === undefined || value < below);
}
