/**
 * What is known of whoever asks, and what the policy makes of it. Only what the policy's rules name is looked up.
 *
 * Before anything was shown, a name that somebody typed is judged by what anybody could know: what its account is used
 * to stays out of it. Else the answer would tell strangers which names have an account, and where it is used.
 */
import type { RouterContext } from '@koa/router';
import { type Attempt, type AttemptEvent, type Identity, isEnrolling } from '../domain/attempt.ts';
import type { DeviceProof, Reach } from '../domain/deciding.ts';
import { type Familiar, signalsOf } from '../domain/familiar.ts';
import { type Policy, decide, unknownSignals } from '../domain/policy.ts';
import type { SignalName, Signals } from '../domain/signals.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import { thisAsker } from './asker.ts';
import { provenDevice } from './device-key.ts';
import { placeNames } from './familiar.ts';
import { type LoginTools, propose, recordFor } from './room.ts';
import { enrolmentIdOf } from './subject.ts';
import { personOf } from './ways.ts';

type Form = ReadonlyMap<string, string>;

export function reachOf({ settings }: Pick<LoginTools, 'settings'>): Reach {
  const { environment, activeWorkflowId } = settings;
  return { environment, hasActive: activeWorkflowId !== undefined };
}

/**
 * Decides with what this form brought, unless that was done before and the form brings nothing new.
 * @param naming what the form says of who is there, for the same write.
 * @returns the attempt as it is then.
 */
export async function decideOn(
  ctx: RouterContext,
  tools: LoginTools,
  loaded: LoadedAttempt,
  form: Form,
  naming?: Extract<AttemptEvent, { type: 'identified' }>,
): Promise<LoadedAttempt> {
  const { attempt } = loaded;
  const identity = naming?.identity ?? ('identity' in attempt ? attempt.identity : undefined);
  const mayDecide = naming !== undefined || attempt.phase === 'identified';
  if (!identity || !mayDecide || isEnrolling(attempt)) return loaded;
  const before = attempt.phase === 'identified' ? attempt : undefined;
  const hasForm = form.has('device_key') && before?.device === undefined;
  const { accountId } = identity;
  // A name without an account is looked up as well, under an id that nobody has.
  const shown = hasForm
    ? await provenDevice(tools, attempt, personOf(identity, tools), form)
    : undefined;
  if (before?.decision && !shown?.device) return loaded;

  const asked: Asked = {
    ...{ attempt, identity, device: shown?.device ?? before?.device },
    ...{ isRested: shown?.isRested === true, hasLegs: (before?.legs ?? []).length > 0 },
    familiar: shown?.familiar,
  };
  const policy = tools.policies.forClient(attempt.client);
  const { shadow } = tools.policies;
  const needs = new Set([...policy.needs, ...(shadow?.needs ?? [])]);
  const signals = await readSignals(ctx, tools, asked, needs);
  // All that was found out, so that another policy can be tried on it later.
  const decision = { ...decide(policy, signals), signals: pick(signals, needs) };
  const {
    attempt: decided,
    refused,
    changed,
    stored,
  } = await propose(
    tools,
    attempt,
    [
      ...(naming ? [naming] : []),
      ...(shown?.device && accountId !== undefined
        ? [{ type: 'device_proven', accountId, device: shown.device } as const]
        : []),
      { type: 'decided', decision, reach: reachOf(tools) },
    ],
    loaded,
  );
  if (!refused) recordDecision(tools, decided, shadow && decide(shadow, signals));
  if (changed && !refused) {
    putBeforePeople(tools, decided);
    const { decision: settled } = 'decision' in decided ? decided : {};
    if (settled?.action === 'skip') tools.spending.spared(decided);
  }
  return stored
    ? { attempt: decided, stored }
    : ((await tools.attempts.load(attempt.interactionUid)) ?? loaded);
}

function recordDecision(
  tools: LoginTools,
  attempt: Attempt,
  shadow: ReturnType<typeof decide> | undefined,
): void {
  const { decision } = 'decision' in attempt ? attempt : {};
  if (!decision) return;
  const beside = shadow ? `; ${shadow.policy} would: ${shadow.action}, ${shadow.rule}` : '';
  recordFor(tools, attempt, 'login.decided', `${decision.action}: ${decision.rule}${beside}`);
  if (attempt.phase === 'denied') recordFor(tools, attempt, 'login.denied', attempt.reason);
}

/**
 * Only where there is somebody to look at. Nobody waits for it: whether a name has an account must not show in how soon
 * the page comes.
 */
function putBeforePeople(tools: LoginTools, attempt: Attempt): void {
  if (attempt.phase !== 'denied' || attempt.reason !== 'in_review') return;
  const { id, reference, kind, client, identity } = attempt;
  const account = identity?.accountId;
  if (account === undefined) return;
  const about = { attempt: id, reference, kind, account, reason: 'policy' } as const;
  tools.openReview({ ...about, client: { id: client.id, name: client.name } }).catch(() => {
    recordFor(tools, attempt, 'review.failed');
  });
}

function pick(signals: Signals, names: ReadonlySet<SignalName>): Partial<Signals> {
  // JSON has no Infinity, and a number that is missing counts as that.
  const found = Object.entries(signals).filter(
    ([name, value]) => names.has(name as SignalName) && value !== Infinity,
  );
  return Object.fromEntries(found);
}

interface Asked {
  attempt: Attempt;
  identity: Identity;
  device: DeviceProof | undefined;
  isRested: boolean;
  hasLegs: boolean;
  familiar: Familiar | undefined;
}

async function readSignals(
  ctx: RouterContext,
  tools: LoginTools,
  asked: Asked,
  needs: Policy['needs'],
): Promise<Signals> {
  const here = tools.whereabouts.of(ctx.ip);
  const { tor, vpn, hosting } = here;
  const { device, isRested, hasLegs } = asked;
  return {
    ...unknownSignals,
    ...{ tor, vpn, hosting },
    device: device === undefined ? 'new' : isRested ? 'known' : 'resting',
    factor: hasLegs || device?.kind === 'passkey' ? 'shown' : 'none',
    ...(await countedSignals(ctx, tools, asked, needs)),
    ...(device || hasLegs ? await pastSignals(tools, asked, needs, here) : {}),
  };
}

const past: readonly SignalName[] = [
  ...(['network', 'country', 'autonomous_system', 'travel', 'hours_since_proof'] as const),
];

/** What the account is used to; see above for when it counts. */
async function pastSignals(
  tools: LoginTools,
  { identity: { accountId }, familiar }: Asked,
  needs: Policy['needs'],
  here: ReturnType<LoginTools['whereabouts']['of']>,
): Promise<Partial<Signals>> {
  if (accountId === undefined) return {};
  const isNeeded = past.some((name) => needs.has(name));
  const loaded = isNeeded ? (familiar ?? (await tools.familiar.load(accountId))) : undefined;
  const account = needs.has('drift') ? await tools.accounts.find(accountId) : undefined;
  const names = placeNames(tools, accountId, here);
  return {
    ...(loaded ? signalsOf(loaded, names, here.location, tools.clock()) : {}),
    ...(account?.enrolment?.nearInARow ? { drift: 'near' } : {}),
  };
}

/** Counted for every name alike, whether it has an account or not. */
async function countedSignals(
  ctx: RouterContext,
  tools: LoginTools,
  { attempt, identity }: Asked,
  needs: Policy['needs'],
): Promise<Partial<Signals>> {
  if (!needs.has('failures') && !needs.has('starts')) return {};
  const enrolmentId = await enrolmentIdOf(identity, tools);
  const { deviceClass } = thisAsker(ctx, tools, attempt);
  return {
    ...(needs.has('failures')
      ? { failures: await tools.turns.failures(enrolmentId, deviceClass) }
      : {}),
    ...(needs.has('starts') ? { starts: await tools.limits.started(enrolmentId) } : {}),
  };
}
