/**
 * login/ is the story of a login, in the order in which it happens: routes (what is next?) · start · identify ·
 * capture · waiting · resume · consent. Everything lies below `/interaction/:uid`, because the library's
 * interaction cookie does. A step does its work, saves the attempt and sends the browser back to the dispatcher;
 * steps never call each other. A phone that helps has its own cookie and its own addresses, below `/h/:code`
 * (handoff-routes.ts).
 *
 * This file is what the steps have in common: their tools, and the check that this browser began the interaction.
 */
import type { RouterContext } from '@koa/router';
import type Provider from 'oidc-provider';
import type { DiditApi } from '../didit/port.ts';
import { type Attempt, type AttemptEvent, attemptAtMostMs } from '../domain/attempt.ts';
import type { Clock, Hash, Random, Sleep } from '../domain/environment.ts';
import type { AuditEvent, Record } from '../domain/event.ts';
import type { Place } from '../domain/locality.ts';
import type { SendMail } from '../domain/message.ts';
import type { Policy } from '../domain/policy.ts';
import { Problem } from '../domain/problem.ts';
import type { TurnEnd } from '../domain/turn.ts';
import { toldOf } from '../domain/told.ts';
import type { Whereabouts } from '../domain/whereabouts.ts';
import type { Factor } from '../fallback/factor.ts';
import type { Passkeys } from '../fallback/passkeys.ts';
import type { SubjectFor } from '../oidc/subjects.ts';
import type { Accounts } from '../store/accounts.ts';
import {
  AttemptGone,
  type Attempts,
  type LoadedAttempt,
  type Proposed,
} from '../store/attempts.ts';
import type { Bell } from '../store/bell.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import type { Handoffs } from '../store/handoffs.ts';
import type { History } from '../store/history.ts';
import type { Portraits } from '../store/portraits.ts';
import type { NewReviewCase } from '../store/reviews.ts';
import type { Limits } from '../store/limits.ts';
import type { Metered } from '../store/meter.ts';
import type { Spending } from '../store/spending.ts';
import type { Tickets } from '../store/tickets.ts';
import type { Turns } from '../store/turns.ts';
import type { FormTokens } from '../web/forms.ts';
import type { Enrolment } from './enrolment.ts';
import type { HandoffCodes } from './handoff-codes.ts';
import type { ForPage, ShowPage } from '../web/respond.ts';

export interface LoginSettings {
  issuer: string;
  environment: 'live' | 'sandbox';
  workflowId: string;
  /** With a movement that the person is asked for; undefined where there is none. */
  activeWorkflowId: string | undefined;
  /** Document and selfie; undefined where nobody is enrolled. */
  enrolmentWorkflowId: string | undefined;
  /** `portrait`: we send the picture each time, so the reference is pinned. `stored`: Didit uses its own. */
  faceReference: 'portrait' | 'stored';
  minimumLivenessScore: number;
  minimumFaceMatchScore: number;
  /** Between the selfie and the document of an enrolment. */
  minimumDocumentMatchScore: number;
  /** Liveness by flashes of light, in an enrolment. */
  allowFlashing: boolean;
  /** Send a hash of what the browser says of itself and its address along, for Didit's own signals. */
  sendDeviceHints: boolean;
  /** Beginning a selfie takes at least this long, whoever asks and whatever comes of it. */
  createFloorMs: number;
}

/** For names that lead to nobody. */
export interface Decoy {
  /** The picture that such a selfie is compared with, base64. */
  portraitImage: string | undefined;
  /** The same opaque text for the same name each time, which nobody without our key can compute. */
  nameFor: (name: string) => string;
}

/** By which rules it is decided what somebody has to show. */
export interface Policies {
  forClient(client: Attempt['client']): Policy;
  /** Decides beside the one that counts, and is only written down. */
  shadow: Policy | undefined;
}

export interface LoginTools {
  settings: LoginSettings;
  provider: Provider;
  subjectFor: SubjectFor;
  attempts: Attempts;
  accounts: Accounts;
  portraits: Portraits;
  turns: Turns;
  limits: Limits;
  spending: Spending;
  decoy: Decoy;
  /** The typed ones, in the order in which they are offered. */
  factors: readonly Factor[];
  passkeys: Passkeys;
  familiar: FamiliarRecords;
  handoffs: Handoffs;
  handoffCodes: HandoffCodes;
  /** For links in mails. */
  tickets: Pick<Tickets, 'issue'>;
  policies: Policies;
  whereabouts: { of(address: string): Whereabouts };
  history: History;
  bell: Bell;
  didit: DiditApi;
  /** Remembers which attempt a Didit session is for; false when it is already somebody's. */
  claimDiditSession(id: string, attempt: Attempt, cost: Metered): Promise<boolean>;
  /** Asks for the verdict in case no webhook brings it. */
  expectVerdict(attempt: Attempt): Promise<void>;
  /** Puts a case before the operators, unless there is one about the same. */
  openReview(about: NewReviewCase): Promise<void>;
  placeOf(address: string, described: { browser: string; system: string }): Place;
  show: ShowPage;
  /** That of the pages, for what is written to the person later. */
  languageFor: (uiLocales: string | undefined) => string;
  formTokens: FormTokens;
  /** Absent where nobody can be written to. */
  mail?: SendMail | undefined;
  /** Undefined where nobody is enrolled. */
  enrolment: Enrolment | undefined;
  record: Record;
  clock: Clock;
  sleep: Sleep;
  random: Random;
  hash: Hash;
}

/** The address of a step of this interaction. */
export function pathOf(interactionUid: string, step = ''): string {
  return `/interaction/${interactionUid}${step && `/${step}`}`;
}

/** `:uid` of the path, once the signed cookie has said the same. */
export function ownInteraction(ctx: RouterContext, provider: Provider): string {
  const uid = String(ctx.params.uid);
  if (!holdsInteraction(ctx, provider)) throw new Problem('interaction_not_yours');
  return uid;
}

export function holdsInteraction(ctx: RouterContext, provider: Provider): boolean {
  const cookie = ctx.cookies.get(provider.cookieName('interaction'), { signed: true });
  return cookie !== undefined && cookie === ctx.params.uid;
}

/** What a page takes from its attempt: the language, the reference, and when the time is up unless more is asked for. */
export function shownFor(attempt: Attempt): ForPage {
  const { interactionUid, request, reference, createdAtMs, expiresAtMs } = attempt;
  const mayHaveMore =
    ['new', 'joining', 'identified'].includes(attempt.phase) &&
    expiresAtMs < createdAtMs + attemptAtMostMs;
  const expiry = { atMs: expiresAtMs, moreTime: pathOf(interactionUid, 'more-time') };
  return {
    uiLocales: request.uiLocales,
    reference,
    ...(mayHaveMore ? { expiry } : {}),
  };
}

/** The attempt that this browser has under way. */
export async function ownAttempt(
  ctx: RouterContext,
  tools: Pick<LoginTools, 'attempts' | 'provider'>,
): Promise<LoadedAttempt> {
  const loaded = await tools.attempts.load(ownInteraction(ctx, tools.provider));
  if (!loaded) throw new Problem('interaction_over');
  return loaded;
}

export function toDispatcher(ctx: RouterContext): void {
  ctx.status = 303;
  ctx.redirect(pathOf(String(ctx.params.uid)));
}

export function thisPlace(ctx: RouterContext, tools: Pick<LoginTools, 'placeOf'>): Place {
  const agent = ctx.get('user-agent');
  return tools.placeOf(ctx.ip, { browser: agent, system: agent });
}

export function recordFor(
  tools: Pick<LoginTools, 'record' | 'clock'>,
  attempt: Attempt,
  event: AuditEvent['event'],
  reason?: string,
): void {
  tools.record(toldOf(attempt, event, tools.clock(), reason));
}

/** Proposes an event, or several. They may come too late: then they are what ends the attempt, and that is told. */
export async function propose(
  tools: Omit<LoginTools, 'enrolment'>,
  attempt: Attempt,
  events: AttemptEvent | readonly AttemptEvent[],
  known?: LoadedAttempt,
): Promise<Proposed> {
  const of = { interactionUid: attempt.interactionUid, id: attempt.id };
  const proposed = await tools.attempts.propose(of, events, known).catch((cause: unknown) => {
    if (cause instanceof AttemptGone) throw new Problem('interaction_over', undefined, { cause });
    throw cause;
  });
  if (proposed.changed && proposed.attempt.phase === 'expired') {
    recordFor(tools, proposed.attempt, 'login.expired');
    await clearCapture(tools, proposed.attempt);
  }
  return proposed;
}

/** What an attempt that ended early leaves at Didit is cleared away, and its turn given back. */
export async function clearCapture(
  tools: Pick<LoginTools, 'didit' | 'turns'>,
  attempt: Attempt,
): Promise<void> {
  if (!('capture' in attempt)) return;
  const { diditSessionId, enrolmentId, device } = attempt.capture;
  // First the session, then the turn: the next holder must not be handed this session.
  await tools.didit.deleteSession(diditSessionId).catch(() => undefined);
  await tools.turns.end(enrolmentId, { attemptId: attempt.id, ...device }, endOf(attempt));
}

function endOf(attempt: Attempt): TurnEnd {
  if (attempt.phase === 'foreign') return 'foreign';
  return 'returnedAtMs' in attempt ? 'left' : 'unanswered';
}
