/**
 * One look at Didit's API for an attempt, and what it is worth. A ring is only a reason to look: where it says
 * something else than what was asked for, or something that the API denies, an operator is told.
 */
import type { Attempt, Capture, Captured } from '../domain/attempt.ts';
import type { About, Decision, Verdict } from '../domain/decision.ts';
import type { Clock, Sleep } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import { judgeEnrolment } from '../domain/enrolment.ts';
import { judge } from '../domain/verdict.ts';
import { type DiditApi, type DiditDecision, DiditError, type DiditPeople } from './port.ts';

export interface LookTools {
  didit: Pick<DiditApi, 'readDecision'> & Pick<DiditPeople, 'readEnrolment'>;
  alarm: RaiseAlarm;
  clock: Clock;
  sleep: Sleep;
}

/** What a genuine webhook said besides its name. It is held against what we know, and never believed. */
export interface Ring {
  /** Only a reason to look once more, where the API says something else. */
  status: string | undefined;
  announcesEnd: boolean;
  diditSessionKind: string | undefined;
  environment: string | undefined;
  workflowId: string | undefined;
  workflowVersion: number | undefined;
  vendorData: string | undefined;
}

/** Didit may ring a moment before its API knows; a ring that the API still denies after these is a lie. */
export const readAgainAfterMs = [500, 1_000];

export interface Looked {
  verdict: Verdict;
  seen: DiditDecision['seen'];
  /** Absent where there is none to go by. */
  decision?: Decision;
}

type CapturedAttempt = Attempt & Captured;

export function createLook({ didit, alarm, clock, sleep }: LookTools) {
  /** Reads and judges; a second and a third time when a ring announced what the API does not know of. */
  return async function look(
    attempt: CapturedAttempt,
    ring: Ring | undefined,
  ): Promise<Looked | 'quarantined'> {
    if (!ring) return (await readAndJudge(attempt)) ?? stillOpen;
    if (isAboutSomethingElse(ring, attempt.capture.expectation)) {
      alarm('webhook_differs', attempt);
      return 'quarantined';
    }
    if (!ring.announcesEnd) return (await readAndJudge(attempt)) ?? stillOpen;
    for (const waitMs of [0, ...readAgainAfterMs]) {
      await sleep(waitMs);
      const looked = await readAndJudge(attempt);
      if (looked && looked.verdict.outcome !== 'pending') return looked;
    }
    alarm('webhook_contradicts', attempt);
    return { verdict: { outcome: 'declined', reason: 'contradicted' }, seen: [] };
  };

  /** An enrolment is held against a document, a login against the face that is enrolled. */
  async function judged({ diditSessionId, expectation }: Capture): Promise<Looked> {
    if (expectation.reference === 'document') {
      const { decision, seen } = await didit.readEnrolment(diditSessionId);
      return { verdict: judgeEnrolment(decision, expectation, clock()), seen, decision };
    }
    const { decision, seen } = await didit.readDecision(diditSessionId);
    return { verdict: judge(decision, expectation, clock()), seen, decision };
  }

  /** @returns undefined when Didit has no such session. */
  async function readAndJudge({ id, capture }: CapturedAttempt): Promise<Looked | undefined> {
    try {
      const looked = await judged(capture);
      if (looked.verdict.reason === 'unknown_status') alarm('schema_drift', { id });
      return looked;
    } catch (error) {
      if (!(error instanceof DiditError)) throw error;
      if (error.failure === 'unknown_session') return undefined;
      if (error.failure !== 'schema_drift') throw error;
      alarm('schema_drift', { id });
      return { verdict: { outcome: 'declined', reason: 'schema_drift' }, seen: [] };
    }
  }
}

const stillOpen = { verdict: { outcome: 'pending', reason: 'unknown_session' }, seen: [] } as const;

/** What it leaves out is also something else, but for what Didit does not always send. */
export function isAboutSomethingElse(about: Ring, expected: About): boolean {
  const { diditSessionKind = 'user', workflowVersion = expected.workflowVersion } = about;
  return (
    diditSessionKind !== 'user' ||
    about.environment !== expected.environment ||
    about.workflowId !== expected.workflowId ||
    about.vendorData !== expected.vendorData ||
    (expected.workflowVersion !== undefined && workflowVersion !== expected.workflowVersion)
  );
}
