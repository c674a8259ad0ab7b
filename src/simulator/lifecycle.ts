/** The only place where a session changes its status. Every change is announced. */
import { append } from './journal.ts';
import { isLeaving, outcomes, scenarios } from './outcomes.ts';
import type { OutcomeName } from './outcomes.ts';
import type { SimulatorSettings } from './options.ts';
import { type Person, somebody } from './person.ts';
import { isoTime, isOpen } from './state.ts';
import type { DiditSession, Sighting, State } from './state.ts';
import type { Webhooks } from './webhooks.ts';

export type Lifecycle = ReturnType<typeof createLifecycle>;

export interface StatusChange {
  status: 'Approved' | 'Declined' | 'Resubmitted';
  comment: string;
  resubmit: unknown;
}

/** Everything that create-session has checked. */
export type NewDiditSession = Pick<
  DiditSession,
  | 'environment'
  | 'workflow'
  | 'vendorData'
  | 'metadata'
  | 'callback'
  | 'callbackMethod'
  | 'language'
  | 'hasPortrait'
  | 'expectedIpAddress'
  | 'scenario'
>;

type ReceiverOwn = Pick<DiditSession, 'workflow' | 'vendorData'> & { isTrusted: boolean };

const uncertain = ['Not Started', 'In Progress', 'Awaiting User', 'Expired'];

export function createLifecycle(
  state: State,
  webhooks: Webhooks,
  logger: SimulatorSettings['logger'],
) {
  function move(session: DiditSession, status: DiditSession['status']): void {
    session.status = status;
    logger.info({ diditSessionId: session.id, status }, 'session status changed');
    webhooks.statusUpdated(session);
  }

  function begin(session: DiditSession): void {
    state.addSession(session);
    if (session.vendorData !== null) state.userOf(session.vendorData);
    move(session, session.status);
  }

  /** Didit tells a link that nobody opened from a check that somebody left. */
  function expireIfDue(session: DiditSession): void {
    if (!isOpen(session) || state.now() < session.expiresAtMs) return;
    session.outcome = session.initiatorId === null ? null : outcomes.abandon;
    move(session, session.initiatorId === null ? 'Expired' : 'Abandoned');
  }

  return {
    create(request: NewDiditSession): DiditSession {
      const createdAtMs = state.now();
      const session: DiditSession = {
        id: state.newId(),
        number: state.nextNumber(),
        token: state.newToken(),
        status: 'Not Started',
        createdAtMs,
        expiresAtMs: createdAtMs + request.workflow.ttlSeconds * 1000,
        initiatorId: null,
        completerId: null,
        outcome: null,
        finishedBy: null,
        reviews: [],
        resubmit: null,
        person: somebody,
        ...request,
      };
      begin(session);
      return session;
    },

    /** A copy of a finished session, under a name and a workflow of its receiver's own. */
    takeOver(session: DiditSession, own: ReceiverOwn): DiditSession {
      const copy = copyFor(session, own, state);
      begin(copy);
      return copy;
    },

    expireIfDue,

    expireAllDue(): void {
      for (const session of state.sessions.values()) expireIfDue(session);
    },

    open(session: DiditSession, browserId: string): void {
      session.initiatorId ??= browserId;
      if (session.status === 'Not Started' || session.status === 'Resubmitted') {
        move(session, 'In Progress');
      }
    },

    /** @returns whether the session was still open; a finished one stays as it is. */
    finish(
      session: DiditSession,
      name: OutcomeName,
      browserId: string,
      { person, ...by }: Sighting & { person: Person },
    ): boolean {
      expireIfDue(session);
      if (!isOpen(session)) return false;
      const scenario = isLeaving(name) ? undefined : scenarios.get(session.scenario ?? '');
      session.outcome = scenario ?? outcomes[name];
      session.completerId = browserId;
      session.finishedBy = by;
      session.person = person;
      if (name === 'expire') session.expiresAtMs = state.now();
      move(session, session.outcome.status);
      return true;
    },

    /** @returns false for a session that has no result which could be changed. */
    changeByApi(session: DiditSession, change: StatusChange): boolean {
      if (uncertain.includes(session.status)) return false;
      append(session.reviews, {
        user: 'API Client',
        new_status: change.status,
        comment: change.comment,
        created_at: isoTime(state.now()),
      });
      session.resubmit = change.resubmit;
      move(session, change.status);
      return true;
    },
  };
}

function copyFor(
  session: DiditSession,
  { workflow, vendorData, isTrusted }: ReceiverOwn,
  state: State,
): DiditSession {
  return {
    ...structuredClone(session),
    ...{ id: state.newId(), number: state.nextNumber(), token: state.newToken() },
    ...{ workflow, vendorData, metadata: null, callback: null, createdAtMs: state.now() },
    status: isTrusted ? session.status : 'In Review',
  };
}
