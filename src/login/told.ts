/**
 * What the person is told of a sign-in: a line in their history, and a mail where it was without a selfie, with one on
 * another device or in a new browser, or where their selfies look less and less like the picture.
 */
import type { RouterContext } from '@koa/router';
import { type Attempt, isEnrolling } from '../domain/attempt.ts';
import type { Proof } from '../domain/assurance.ts';
import type { DecisionOnRecord } from '../domain/deciding.ts';
import type { DeviceKey } from '../domain/familiar.ts';
import type { Message } from '../domain/message.ts';
import { thisDevice } from './device.ts';
import { type LoginTools, recordFor, thisPlace } from './room.ts';

export async function noteSignIn(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  { accountId, acr, provenAtMs }: Proof,
): Promise<void> {
  const { reference, client } = attempt;
  const { decision } = 'decision' in attempt ? attempt : {};
  const capture = 'capture' in attempt;
  const { browser, system } = thisPlace(ctx, tools);
  await tools.history.add(accountId, {
    ...{ event: 'signed_in', atMs: tools.clock(), reference, client: client.name, acr },
    ...{ authTime: Math.floor(provenAtMs / 1000), browser, system },
    // Who took another way did not do what was decided.
    ...(decision && (capture || !isSelfie(decision)) ? { why: whyOf(decision) } : {}),
  });
}

const isSelfie = ({ action }: DecisionOnRecord): boolean =>
  action === 'selfie' || action === 'selfie_active';

function whyOf({ action, rule, instead }: DecisionOnRecord) {
  return { action, rule, ...(instead === undefined ? {} : { isAsked: true as const }) };
}

/** After so many in a row it is no chance. The person is written to once, well before a selfie fails. */
const nearAtMost = 3;

/** A face drifts from its picture over the years. @param attempt as it was when the door opened. */
export async function noteLikeness(tools: LoginTools, attempt: Attempt): Promise<void> {
  if (attempt.phase !== 'captured' || isEnrolling(attempt)) return;
  const { accountId } = attempt.identity;
  const account = accountId === undefined ? undefined : await tools.accounts.find(accountId);
  const isNear = attempt.verdict?.isNear === true;
  if (!account?.enrolment || (!isNear && account.enrolment.nearInARow === undefined)) return;
  const now = { inARow: 0 };
  await tools.accounts.change(account.id, ({ enrolment, ...others }) => {
    if (!enrolment) return others;
    const { nearInARow = 0, ...face } = enrolment;
    now.inARow = isNear ? nearInARow + 1 : 0;
    return { ...others, enrolment: isNear ? { ...face, nearInARow: now.inARow } : face };
  });
  const { email, emailVerified, locale } = account;
  if (now.inARow !== nearAtMost || email === undefined || !emailVerified) return;
  tools.mail?.({ address: email, locale }, { kind: 'face_drifting' }).catch(() => {
    recordFor(tools, attempt, 'mail.failed', 'face_drifting');
  });
}

/** A link that says "that was not me" is good for as long as anything of the sign-in can be. */
const disavowSeconds = 30 * 86_400;

/**
 * A sign-in without a selfie, or in a browser that the account was never used in, is told by mail, with a link that
 * ends what it opened.
 * @param attempt as it was when the door opened.
 * @param made the device key that this sign-in left behind.
 */
export async function writeOfSignIn(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  { accountId, provenAtMs }: Proof,
  made: DeviceKey | undefined,
): Promise<void> {
  const legs = attempt.phase === 'proven' ? attempt.legs : undefined;
  const isHandedOff = attempt.phase === 'captured' && attempt.capture.handoff !== undefined;
  const isNew = made !== undefined || isHandedOff || isNewBrowser(ctx, tools, attempt, accountId);
  if (!tools.mail || isEnrolling(attempt) || (!legs && !isNew)) return;
  const { email, emailVerified, locale } = (await tools.accounts.find(accountId)) ?? {};
  if (email === undefined || !emailVerified) return;
  const { browser, system } = thisPlace(ctx, tools);
  const authTime = Math.floor(provenAtMs / 1000);
  const disavowing = { accountId, authTime, ...(made ? { deviceKey: made.id } : {}) };
  const secret = await tools.tickets.issue('disavow', disavowing, disavowSeconds);
  const link = `${tools.settings.issuer}/account/not-me/${secret}`;
  const what = { client: attempt.client.name, atMs: tools.clock(), browser, system, link };
  const message: Message = legs
    ? { kind: 'other_way', factors: legs.map(({ name }) => name), ...what }
    : { kind: 'new_device', keepsKey: made !== undefined, ...what };
  // The person is in already: a mail server that is slow or away changes nothing about that.
  tools.mail({ address: email, locale }, message).catch(() => {
    recordFor(tools, attempt, 'mail.failed', message.kind);
  });
}

function isNewBrowser(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  accountId: string,
): boolean {
  const hasKey = 'device' in attempt && attempt.device.kind === 'key';
  return !hasKey && !thisDevice(ctx, tools).knows(accountId);
}
