/**
 * Why a sign-in went as it did: one record of what was decided, by which rule, on which signals, how long each step
 * took and whether it cost a selfie; and one plain sentence of it. Neither a score nor an address is in it.
 */
import type { Attempt, AttemptKind, DenialReason } from './attempt.ts';
import type { DecisionOnRecord } from './deciding.ts';
import { isoTime } from './iso-time.ts';
import type { Decision } from './policy.ts';
import { isOver } from './standing.ts';

type Step = 'decided' | 'selfie_begun' | 'verdict' | 'browser_back' | 'ended';

export interface Explanation {
  schema: 1;
  /** What the person's pages show. */
  reference: string;
  attempt: string;
  client: { id: string; name: string };
  kind: AttemptKind;
  beganAtMs: number;
  outcome: 'signed_in' | 'denied' | 'expired' | 'foreign' | 'superseded';
  reason?: DenialReason;
  /** Of a verdict: what exactly was wrong, in the code's or the policy's words. */
  because?: string;
  acr?: string;
  amr?: readonly string[];
  /** `instead`: what the rule said, where the app asked for more or there was no way to do it. */
  decision?: Decision & { instead?: Decision['action'] };
  /** In the order in which they happened, each so long after the beginning. */
  steps: readonly { step: Step; afterMs: number }[];
  /** Asked of Didit, and charged for unless nothing came of it. */
  selfies: 0 | 1;
}

/** @returns undefined for an attempt that is still under way. */
export function explain(attempt: Attempt): Explanation | undefined {
  if (!isOver(attempt) || !('endedAtMs' in attempt)) return undefined;
  const { id, reference, client, kind, createdAtMs, decision, capture } = attempt;
  const times: readonly (readonly [Step, number | undefined])[] = [
    ['decided', decision?.atMs],
    ['selfie_begun', capture?.expectation.startedAtMs],
    ['verdict', attempt.decidedAtMs],
    ['browser_back', attempt.returnedAtMs],
    ['ended', attempt.endedAtMs],
  ];
  const steps = times
    .flatMap(([step, atMs]) => (atMs === undefined ? [] : [{ step, afterMs: atMs - createdAtMs }]))
    .sort((one, other) => one.afterMs - other.afterMs);
  return {
    schema: 1,
    ...{ reference, attempt: id, client: { id: client.id, name: client.name }, kind },
    beganAtMs: createdAtMs,
    outcome: attempt.phase === 'consumed' ? 'signed_in' : attempt.phase,
    ...(attempt.phase === 'denied' ? { reason: attempt.reason } : {}),
    ...('because' in attempt ? { because: attempt.because } : {}),
    ...(attempt.phase === 'consumed' ? { acr: attempt.proof.acr, amr: attempt.proof.amr } : {}),
    ...(decision ? { decision: withoutTime(decision) } : {}),
    steps,
    selfies: capture ? 1 : 0,
  };
}

/** As programs read it. */
export function explanationView({ schema: _, beganAtMs, steps, ...explained }: Explanation) {
  return {
    ...explained,
    began_at: isoTime(beganAtMs),
    steps: steps.map(({ step, afterMs }) => ({ step, after_ms: afterMs })),
  };
}

const withoutTime = ({
  atMs: _,
  ...decision
}: DecisionOnRecord): Explanation['decision'] & object => decision;

const actions: Readonly<Record<Decision['action'], string>> = {
  skip: 'was spared a selfie',
  selfie: 'was asked for a selfie',
  selfie_active: 'was asked for a selfie with movement',
  fallback: 'was asked for something else than a selfie first',
  deny: 'was refused',
  review: 'was held for a person to look at',
};

function because({ rule, policy, instead }: Explanation['decision'] & object): string {
  const said = `rule “${rule}” of policy ${policy}`;
  return instead === undefined ? said : `${said} said ${instead}, and the app or the setup more`;
}

/** Of whom no policy was asked. */
function unasked({ kind, outcome }: Explanation): string {
  switch (kind) {
    case 'enrol':
      return 'enrolled';
    case 're_enrol':
      return 'enrolled another face';
    case 'recovery':
      return 'came back by a document';
    case 'login':
    case 'step_up':
      return outcome === 'signed_in' ? 'chose another way than a selfie' : 'had not begun a selfie';
  }
}

const deniedFor: Readonly<Record<DenialReason, string>> = {
  declined: 'Didit declined the check',
  in_review: 'somebody has to look at the check first',
  not_finished: 'the check at Didit was not finished',
  elsewhere: 'the selfie was taken in another place than the sign-in',
  stale: 'the check was too old when it came',
  changed: 'the account or the request changed meanwhile',
  unavailable: 'something that it needs did not answer',
  limited: 'there were too many tries',
  paused: 'what may be spent on selfies is spent, or selfies are paused',
  other_way: 'another way was chosen',
  cancelled: 'the person went back to the app',
  wrong_code: 'the code of the phone was wrong too often',
  refused: 'a rule of the policy refuses it',
  unmet: 'what the app asks for cannot be reached here',
};

/** In words, and by the codes that the log has. */
function whyDenied({ kind, reason, because: code, steps }: Explanation): string {
  const isLogin = kind === 'login' || kind === 'step_up';
  // The check was good, and what came after it was not.
  if (reason === 'unavailable' && !isLogin && steps.some(({ step }) => step === 'verdict')) {
    return 'the face could not be kept (enrolment_not_kept)';
  }
  const codes = [reason, code === reason ? undefined : code].filter(Boolean).join(': ');
  return reason === undefined ? codes : `${deniedFor[reason]} (${codes})`;
}

/** For an operator, in English. */
export function plainly(explanation: Explanation): string {
  const { client, decision, outcome, acr, steps } = explanation;
  const why = decision
    ? `${actions[decision.action]} (${because(decision)})`
    : unasked(explanation);
  const seconds = ((steps.at(-1)?.afterMs ?? 0) / 1000).toFixed(1);
  const end = {
    signed_in: `was signed in with ${acr ?? 'no class'}`,
    denied: `was not signed in: ${whyDenied(explanation)}`,
    expired: 'ran out of time',
    foreign: 'was stopped, since the selfie came from another browser',
    superseded: 'began anew',
  }[outcome];
  return `Somebody who came to ${client.name} ${why} and ${end} after ${seconds} s.`;
}
