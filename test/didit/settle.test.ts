import { beforeEach, describe, expect, it } from 'vitest';
import { type DiditDecision, DiditError } from '../../src/didit/port.ts';
import type { Ring } from '../../src/didit/look.ts';
import { newAttempt } from '../../src/domain/attempt.ts';
import { soon } from '../support/soon.ts';
import { approved, chrome, startedAtMs, time, underWay, withStatus } from './under-way.ts';

beforeEach(() => void (time.nowMs = startedAtMs));

describe('a decision', () => {
  it('that approves is saved, told, rung, and gives the turn back', async () => {
    const { settleWith, attempt, events, heard, isTurnFree } = await underWay();
    expect(await settleWith(() => approved)).toBe('approved');
    expect(await attempt()).toMatchObject({
      phase: 'captured',
      verdict: { reason: 'approved', decidedAtMs: startedAtMs, locality: 'agrees' },
    });
    expect(events).toEqual([
      {
        ...{ event: 'verdict.received', atMs: startedAtMs, attempt: 'attempt-1' },
        ...{
          account: 'account-1',
          client: 'first',
          reference: 'ABCD-EFGH',
          reason: 'approved, place agrees',
          decision: 'selfie',
        },
      },
    ]);
    await soon(() => expect(heard).toEqual(['look again']));
    expect(await isTurnFree()).toBe(true);
  });

  it.each([
    ['Declined', 'declined', 'declined'],
    ['In Review', 'in_review', 'in_review'],
    ['Abandoned', 'not_finished', 'not_finished'],
    ['Expired', 'not_finished', 'not_finished'],
    ['Resubmitted', 'not_finished', 'not_finished'],
    ['approved', 'declined', 'declined'],
  ])(
    'of status "%s" ends the attempt as %s, and gives the turn back',
    async (status, outcome, reason) => {
      const { settleWith, attempt, events, declined, isTurnFree } = await underWay();
      expect(await settleWith(() => withStatus(status))).toBe(outcome);
      expect(await attempt()).toMatchObject({ phase: 'denied', reason });
      expect(events.map(({ event }) => event)).toEqual(['verdict.received', 'login.denied']);
      expect(declined).toHaveLength(outcome === 'declined' ? 1 : 0);
      expect(await isTurnFree()).toBe(true);
    },
  );

  it.each(['Not Started', 'In Progress', 'Awaiting User'])(
    'of status "%s" changes nothing, and the turn stays taken',
    async (status) => {
      const { settleWith, attempt, events, heard, isTurnFree } = await underWay();
      const before = await attempt();
      expect(await settleWith(() => withStatus(status))).toBe('pending');
      expect(await attempt()).toEqual(before);
      expect([events, heard]).toEqual([[], []]);
      expect(await isTurnFree()).toBe(false);
    },
  );

  it('that approves a selfie taken elsewhere, or nobody knows where, denies', async () => {
    const elsewhere = { ...chrome, browser: 'Firefox' };
    for (const seen of [[elsewhere], [chrome, elsewhere], [], [{ ...chrome, system: '' }]]) {
      const { settleWith, attempt } = await underWay();
      await settleWith(() => ({ ...approved, seen }));
      expect(await attempt()).toMatchObject({ phase: 'denied', reason: 'elsewhere' });
    }
  });

  it('that many read at once leads to one verdict', async () => {
    const { settleWith, events } = await underWay();
    const all = await Promise.all(Array.from({ length: 20 }, () => settleWith(() => approved)));
    expect(new Set(all)).toEqual(new Set(['approved']));
    expect(await settleWith(() => approved)).toBe('approved');
    expect(events).toHaveLength(1);
  });

  it('that comes after the end, however it was reached, is not used', async () => {
    const { settleWith, attempts, attempt, events, of } = await underWay();
    await attempts.propose(of, { type: 'gave_up', reason: 'cancelled' });
    expect(await settleWith(() => approved)).toBe('over');
    expect(await attempt()).toMatchObject({ phase: 'denied', reason: 'cancelled' });
    expect(events).toEqual([]);
  });

  it('that comes while the attempt is ended is not used', async () => {
    const { settleWith, attempts, attempt, events, of } = await underWay();
    const outcome = await settleWith(async () => {
      await attempts.propose(of, { type: 'arrived_elsewhere', nonceHash: 'callback-nonce' });
      return approved;
    });
    expect(outcome).toBe('over');
    expect(await attempt()).toMatchObject({ phase: 'foreign' });
    expect(events).toEqual([]);
  });

  it('that comes when the time for the selfie is over is not used', async () => {
    const { settleWith, attempt, events } = await underWay();
    time.nowMs += 300_000;
    expect(await settleWith(() => approved)).toBe('over');
    expect(await attempt()).toMatchObject({ phase: 'expired' });
    expect(events.map(({ event }) => event)).toEqual(['login.expired']);
  });
});

describe('what a decision says of whoever asked', () => {
  const elsewhere = { ...approved, seen: [{ ...chrome, browser: 'Firefox' }] };

  it.each([
    ['[AB-05] "Declined" is a failure', withStatus('Declined'), 1, []],
    ['an approval is none', approved, 0, []],
    ['[XD-17] an approval from another place is an arrival there', elsewhere, 0, ['foreign']],
    [
      '[XD-17] what nobody finished is a start that nobody answered',
      withStatus('Abandoned'),
      0,
      ['unanswered'],
    ],
    ['so is what nobody could decide', withStatus('In Review'), 0, ['unanswered']],
  ] as const)('%s', async (_name, decision, inARow, pressure) => {
    const { settleWith, turn } = await underWay();
    await settleWith(() => decision);
    const { failures, pressure: pressed } = await turn();
    expect(failures.unknown.inARow).toBe(inARow);
    expect(failures.known.inARow).toBe(0);
    expect(pressed.map(({ kind }) => kind)).toEqual(pressure);
  });

  it('a browser that is back has answered, whatever became of it', async () => {
    const { settleWith, turn, attempts, of } = await underWay();
    await attempts.propose(of, { type: 'returned', nonceHash: 'callback-nonce' });
    await settleWith(() => withStatus('Abandoned'));
    expect((await turn()).pressure).toEqual([]);
  });
});

it('an attempt that is gone, or not that one, or without a selfie, has nothing to settle', async () => {
  const unread = (): never => {
    throw new Error('nobody asked for a decision');
  };
  const { settleWith, attempts, store } = await underWay();
  expect(await settleWith(unread, { attemptId: 'attempt-0' })).toBe('over');
  const old = await attempts.load('uid-1');
  await attempts.replace(old!, newAttempt({ ...old!.attempt }));
  expect(await settleWith(unread)).toBe('over');
  await store.delete('attempt:uid-1');
  expect(await settleWith(unread)).toBe('over');
});

it('an attempt that vanishes while the decision is read is over', async () => {
  const { settleWith, store, events } = await underWay();
  const outcome = await settleWith(async () => {
    await store.delete('attempt:uid-1');
    return approved;
  });
  expect(outcome).toBe('over');
  expect(events).toEqual([]);
});

it('a Didit that does not answer is the caller’s to deal with; nothing has changed', async () => {
  const { settleWith, attempt, isTurnFree } = await underWay();
  const before = await attempt();
  const failure = new DiditError('unavailable', 'no answer');
  await expect(settleWith(() => Promise.reject(failure))).rejects.toBe(failure);
  expect(await attempt()).toEqual(before);
  expect(await isTurnFree()).toBe(false);
});

describe('an attempt whose time is over', () => {
  it('is told so once, gives its turn back, and costs Didit no reading', async () => {
    const { settleWith, attempt, events, isTurnFree } = await underWay();
    time.nowMs += 300_001;
    let readings = 0;
    const read = (): DiditDecision => {
      readings += 1;
      return approved;
    };
    expect(await settleWith(read)).toBe('over');
    expect(await settleWith(read)).toBe('over');
    expect(readings).toBe(0);
    expect((await attempt())?.phase).toBe('expired');
    expect(events.map(({ event }) => event)).toEqual(['login.expired']);
    expect(await isTurnFree()).toBe(true);
  });
});

describe('[VD-12] after it has let somebody in', () => {
  const ring = (status: string, change: Partial<Ring> = {}): Ring => ({
    ...{ status, announcesEnd: true, diditSessionKind: 'user', environment: 'live' },
    ...{ workflowId: 'workflow-1', workflowVersion: 1, vendorData: 'person-1' },
    ...change,
  });
  const byHand = (status: string, new_status: string): DiditDecision => ({
    ...approved,
    decision: {
      ...{ ...approved.decision, status, reviewCount: 1 },
      ...(new_status === 'Declined' ? { wasDeclinedByHand: true } : {}),
    },
  });
  const listed: DiditDecision = {
    ...approved,
    decision: {
      ...approved.decision,
      warnings: [{ risk: 'FACE_IN_BLOCKLIST', logType: 'warning' }],
    },
  };

  /** Approved, back and through the door; `isGone`: so long ago that the attempt has been forgotten. */
  async function signedIn({ isGone = false } = {}) {
    const scene = await underWay();
    await scene.settleWith(() => approved);
    await scene.attempts.propose(scene.of, { type: 'returned', nonceHash: 'callback-nonce' });
    const account = { enrolmentId: 'enrolment-1' };
    const { attempt } = await scene.attempts.propose(scene.of, { type: 'finished', account });
    expect(attempt.phase).toBe('consumed');
    const signIn = (await scene.kept())!.signIn!;
    await scene.history.add('account-1', {
      ...{
        event: 'signed_in',
        atMs: time.nowMs + 900,
        client: 'First',
        acr: 'x',
        browser: undefined,
      },
      ...{ system: undefined, authTime: signIn.authTime },
    });
    if (isGone) await scene.store.delete('attempt:uid-1');
    scene.events.splice(0);
    return { ...scene, signIn };
  }

  it('what it takes to take it back is kept when it is approved, and not before', async () => {
    const { settleWith, kept } = await underWay();
    await settleWith(() => withStatus('In Progress'));
    expect((await kept())?.signIn).toBeUndefined();
    await settleWith(() => approved);
    expect(await kept()).toEqual({
      ...{ interactionUid: 'uid-1', attemptId: 'attempt-1' },
      takenBy: expect.any(String) as string,
      signIn: {
        ...{ attempt: 'attempt-1', reference: 'ABCD-EFGH', kind: 'login', account: 'account-1' },
        ...{ client: { id: 'first', name: 'First' }, authTime: startedAtMs / 1000 },
        accepted: {
          ...{ diditSessionId: 'session-1', environment: 'live', workflowId: 'workflow-1' },
          ...{ workflowVersion: 1, vendorData: 'person-1', nonceHash: 'metadata-nonce' },
        },
      },
    });
    const other = await underWay();
    await other.settleWith(() => withStatus('Declined'));
    expect((await other.kept())?.signIn).toBeUndefined();
  });

  describe.each([
    ['a moment ago', false],
    ['long ago', true],
  ])('%s', (_name, isGone) => {
    it.each([
      ['Declined', withStatus('Declined'), 'declined'],
      ['declined by hand', byHand('Declined', 'Declined'), 'declined'],
      [
        'declined by hand and approved once more',
        byHand('Approved', 'Declined'),
        'declined_by_hand',
      ],
      ['on a list of blocked faces', listed, 'blocking_warning'],
    ])('a decision that is %s now takes it back', async (_status, decision, reason) => {
      const { settleWith, signIn, withdrawn, alarms } = await signedIn({ isGone });
      expect(await settleWith(() => decision, { signIn, ring: ring('Declined') })).toBe('declined');
      expect([withdrawn, alarms]).toEqual([[reason], ['login_withdrawn']]);
    });

    it.each([
      ['Approved', approved],
      ['approved by hand', byHand('Approved', 'Approved')],
      ['expired', withStatus('Kyc Expired')],
      ['being taken once more', withStatus('In Progress')],
    ])('one that is %s changes nothing', async (_status, decision) => {
      const { settleWith, signIn, withdrawn, alarms, reviews } = await signedIn({ isGone });
      expect(await settleWith(() => decision, { signIn, ring: ring('Approved') })).toBe('over');
      expect([withdrawn, alarms, reviews]).toEqual([[], [], []]);
    });

    it.each(['In Review', 'Resubmitted'])('one that is %s is put before people', async (status) => {
      const { settleWith, signIn, withdrawn, reviews } = await signedIn({ isGone });
      const decision = withStatus(status);
      expect(await settleWith(() => decision, { signIn, ring: ring(status) })).toBe('in_review');
      expect(withdrawn).toEqual([]);
      expect(reviews).toEqual([
        {
          ...{ attempt: 'attempt-1', reference: 'ABCD-EFGH', kind: 'login', account: 'account-1' },
          ...{ client: { id: 'first', name: 'First' }, authTime: signIn.authTime },
          ...{ diditSessionId: 'session-1', reason: 'in_review' },
        },
      ]);
    });

    it.each([
      ['another person', { vendorData: 'person-2' }],
      ['another nonce', { nonceHash: 'of another' }],
      ['another session', { diditSessionId: 'session-2' }],
      ['another environment', { environment: 'sandbox' }],
    ])('a refusal of %s is none of this one', async (_name, change) => {
      const { settleWith, signIn, withdrawn, alarms } = await signedIn({ isGone });
      const { decision, seen } = withStatus('Declined');
      const read = { decision: { ...decision, ...change }, seen };
      expect(await settleWith(() => read, { signIn, ring: ring('Declined') })).toBe('quarantined');
      expect([withdrawn, alarms]).toEqual([[], ['webhook_differs']]);
    });

    it('a ring about something else is not followed, and nothing is read', async () => {
      const { settleWith, signIn, withdrawn, alarms } = await signedIn({ isGone });
      const unread = (): never => {
        throw new Error('nobody asked for a decision');
      };
      const other = { signIn, ring: ring('Declined', { vendorData: 'person-2' }) };
      expect(await settleWith(unread, other)).toBe('quarantined');
      expect([withdrawn, alarms]).toEqual([[], ['webhook_differs']]);
    });

    it('words that we do not know end nothing, and an operator is told', async () => {
      const { settleWith, signIn, withdrawn, alarms } = await signedIn({ isGone });
      const unreadable = new DiditError('schema_drift', 'a decision that cannot be read');
      expect(await settleWith(() => withStatus('Suspended'), { signIn })).toBe('over');
      expect(await settleWith(() => Promise.reject(unreadable), { signIn })).toBe('over');
      expect([withdrawn, alarms]).toEqual([[], ['schema_drift', 'schema_drift']]);
    });

    it('a session that is gone at Didit ends nothing', async () => {
      const { settleWith, signIn, withdrawn, alarms } = await signedIn({ isGone });
      const gone = new DiditError('unknown_session', 'Didit has no such session');
      const late = { signIn, ring: ring('Declined') };
      expect(await settleWith(() => Promise.reject(gone), late)).toBe('over');
      expect([withdrawn, alarms]).toEqual([[], []]);
    });

    it('a Didit that does not answer is the caller’s to deal with', async () => {
      const { settleWith, signIn, withdrawn } = await signedIn({ isGone });
      const failure = new DiditError('unavailable', 'no answer');
      const late = { signIn, ring: ring('Declined') };
      await expect(settleWith(() => Promise.reject(failure), late)).rejects.toBe(failure);
      expect(withdrawn).toEqual([]);
    });

    it('what has ended already is not even read', async () => {
      const { settleWith, signIn, withdrawn } = await signedIn({ isGone });
      const unread = (): never => {
        throw new Error('nobody asked for a decision');
      };
      const late = { signIn, ring: ring('Declined'), isRevoked: true };
      expect(await settleWith(unread, late)).toBe('over');
      expect(withdrawn).toEqual([]);
    });

    it('Didit may ring before its API knows: it is read again, and no more than twice', async () => {
      const { settleWith, signIn, withdrawn } = await signedIn({ isGone });
      let readings = 0;
      const late = { signIn, ring: ring('Declined') };
      const knows = (): DiditDecision => (++readings < 3 ? approved : withStatus('Declined'));
      expect(await settleWith(knows, late)).toBe('declined');
      expect([readings, withdrawn]).toEqual([3, ['declined']]);

      readings = 0;
      const denies = (): DiditDecision => (++readings > 0 ? approved : approved);
      expect(await settleWith(denies, late)).toBe('over');
      expect([readings, withdrawn]).toEqual([3, ['declined']]);
    });
  });

  it('one that was approved and then let nobody in has nothing to take back', async () => {
    const { settleWith, kept, withdrawn, store } = await underWay();
    await settleWith(() => approved);
    const signIn = (await kept())!.signIn!;
    await store.delete('attempt:uid-1');
    expect(await settleWith(() => withStatus('Declined'), { signIn })).toBe('over');
    expect(withdrawn).toEqual([]);
  });

  it('a refusal that was being read while the door opened takes it back', async () => {
    const { settleWith, attempts, of, withdrawn } = await underWay();
    await settleWith(() => approved);
    const outcome = await settleWith(async () => {
      await attempts.propose(of, { type: 'returned', nonceHash: 'callback-nonce' });
      await attempts.propose(of, { type: 'finished', account: { enrolmentId: 'enrolment-1' } });
      return withStatus('Declined');
    });
    expect(outcome).toBe('declined');
    expect(withdrawn).toEqual(['declined']);
  });
});

describe('what people have to look at', () => {
  it('is put before them, once, with what leads to it and nothing of the face', async () => {
    const { settleWith, reviews } = await underWay();
    await settleWith(() => withStatus('In Review'));
    await settleWith(() => withStatus('In Review'));
    expect(reviews).toEqual([
      {
        ...{ attempt: 'attempt-1', reference: 'ABCD-EFGH', kind: 'login', account: 'account-1' },
        ...{ client: { id: 'first', name: 'First' }, diditSessionId: 'session-1' },
        reason: 'in_review',
      },
    ]);
  });

  it.each(['Approved', 'Declined', 'Abandoned'])('%s is nothing of that kind', async (status) => {
    const { settleWith, reviews } = await underWay();
    await settleWith(() => withStatus(status));
    expect(reviews).toEqual([]);
  });
});
