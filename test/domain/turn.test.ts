import { describe, expect, test } from 'vitest';
import {
  type DeviceClass,
  type Holder,
  type Turn,
  type TurnEnd,
  endTurn,
  failuresAtMost,
  freeFailures,
  freshTurn,
  pauseAfterFailureMs,
  pressureWindowMs,
  reopenTurn,
  takeTurn,
  turnKeptSeconds,
} from '../../src/domain/turn.ts';

const startMs = Date.UTC(2026, 10, 24, 9);
let made = 0;

function asker(deviceClass: DeviceClass, fields: Partial<Holder> = {}): Holder {
  made += 1;
  return {
    ...{ interactionUid: `uid-${made}`, attemptId: `attempt-${made}`, device: `device-${made}` },
    ...{ deviceClass, untilMs: startMs + 300_000 },
    ...fields,
  };
}

function taken(turn: Turn, holder: Holder, nowMs = startMs): Turn {
  const result = takeTurn(turn, { ...holder, untilMs: nowMs + 300_000 }, nowMs);
  if (!result.turn) throw new Error(`refused: ${result.refused}`);
  return result.turn;
}

/** One capture after the other, each ended like this, a minute apart. */
function afterCaptures(how: TurnEnd, times: number, deviceClass: DeviceClass, from = freshTurn) {
  let turn = from;
  for (let at = 0; at < times; at += 1) {
    const holder = asker(deviceClass);
    turn = endTurn(taken(turn, holder, startMs + at * 60_000), holder, how, startMs + at * 60_000);
  }
  return turn;
}

describe('the turn of an enrolment', () => {
  test('is one holder’s: another stranger waits until it is over', () => {
    const first = asker('unknown');
    const turn = taken(freshTurn, first);
    expect(takeTurn(turn, asker('unknown'), startMs)).toEqual({ refused: 'held' });
    expect(takeTurn(turn, first, startMs)).toEqual({ refused: 'held', isMine: true });
    const late = takeTurn(turn, asker('unknown'), first.untilMs);
    const { attemptId } = first;
    expect(late.turn?.pressure).toEqual([{ kind: 'unanswered', attemptId, atMs: first.untilMs }]);
  });

  test('[AB-09] passes on within a browser, and the one before is put aside', () => {
    const first = asker('unknown');
    const again = asker('unknown', { device: first.device });
    expect(takeTurn(taken(freshTurn, first), again, startMs)).toMatchObject({
      turn: { holder: again },
      putAside: first,
    });
    const retry = asker('unknown', { interactionUid: first.interactionUid });
    expect(takeTurn(taken(freshTurn, first), retry, startMs).turn?.holder).toEqual(retry);
  });

  test('[AB-06] a known device takes it from a stranger, never the other way round', () => {
    const [stranger, own] = [asker('unknown'), asker('known')];
    expect(takeTurn(taken(freshTurn, stranger), own, startMs)).toMatchObject({
      putAside: stranger,
    });
    const turn = taken(freshTurn, own);
    expect(takeTurn(turn, asker('unknown'), startMs)).toEqual({ refused: 'held' });
    expect(takeTurn(turn, asker('known'), startMs)).toEqual({ refused: 'held' });
  });

  test('is not ended by whoever had it before', () => {
    const [first, second] = [asker('unknown'), asker('known')];
    const turn = taken(taken(freshTurn, first), second);
    expect(endTurn(turn, first, 'left', startMs)).toBe(turn);
    expect(endTurn(turn, second, 'left', startMs).holder).toBeUndefined();
  });
});

describe('declined selfies', () => {
  test(`[AB-05] the first ${freeFailures} in a row cost nothing, each further one 30 seconds`, () => {
    const turn = afterCaptures('declined', freeFailures, 'unknown');
    const lastMs = startMs + (freeFailures - 1) * 60_000;
    const early = takeTurn(turn, asker('unknown'), lastMs + pauseAfterFailureMs - 1);
    expect(early).toEqual({ refused: 'throttled' });
    expect(takeTurn(turn, asker('unknown'), lastMs + pauseAfterFailureMs).turn).toBeDefined();
    const oneLess = afterCaptures('declined', freeFailures - 1, 'unknown');
    expect(takeTurn(oneLess, asker('unknown'), startMs + 180_001).turn).toBeDefined();
  });

  test(`[AB-05] after ${failuresAtMost} the selfie is closed until another factor is used`, () => {
    const turn = afterCaptures('declined', failuresAtMost, 'unknown');
    const years = startMs + 3 * 365 * 86_400_000;
    expect(takeTurn(turn, asker('unknown'), years)).toEqual({ refused: 'closed' });
    expect(turnKeptSeconds(turn)).toBeGreaterThan(365 * 86_400);
    expect(takeTurn(reopenTurn(turn), asker('unknown'), startMs).turn).toBeDefined();
    const almost = afterCaptures('declined', failuresAtMost - 1, 'unknown');
    expect(takeTurn(almost, asker('unknown'), years).turn).toBeDefined();
  });

  test('[AB-05] a good one begins the count anew', () => {
    const failed = afterCaptures('declined', freeFailures, 'unknown');
    const good = asker('unknown');
    const laterMs = startMs + 3_600_000;
    const mended = endTurn(taken(failed, good, laterMs), good, 'answered', laterMs);
    expect(mended.failures.unknown.inARow).toBe(0);
  });

  test('[AB-06] of strangers, 1,000 of them, do not stop a known device', () => {
    let turn: Turn = freshTurn;
    for (let at = 0; at < 1_000; at += 1) {
      const stranger = asker('unknown');
      const nowMs = startMs + at * 60_000;
      const result = takeTurn(turn, stranger, nowMs);
      if (result.turn) turn = endTurn(result.turn, stranger, 'declined', nowMs);
    }
    expect(turn.failures.unknown.inARow).toBe(failuresAtMost);
    expect(takeTurn(turn, asker('known'), startMs).turn).toBeDefined();
    expect(turn.failures.known.inARow).toBe(0);
  });
});

describe('[XD-17] pressure by strangers', () => {
  test.each([
    ['unanswered', 3],
    ['foreign', 2],
  ] as const)('"%s" %i times in a day closes the selfie to them alone', (how, times) => {
    const almost = afterCaptures(how, times - 1, 'unknown');
    expect(takeTurn(almost, asker('unknown'), startMs + 200_000).turn).toBeDefined();
    const turn = afterCaptures(how, times, 'unknown');
    expect(takeTurn(turn, asker('unknown'), startMs + 200_000)).toEqual({ refused: 'closed' });
    expect(takeTurn(turn, asker('known'), startMs + 200_000).turn).toBeDefined();
  });

  test('ends with another factor, with a good selfie on a known device, or with the day', () => {
    const turn = afterCaptures('unanswered', 3, 'unknown');
    const closes = (one: Turn, nowMs: number) =>
      takeTurn(one, asker('unknown'), nowMs).turn === undefined;
    expect(closes(turn, startMs + pressureWindowMs - 1)).toBe(true);
    expect(closes(turn, startMs + pressureWindowMs)).toBe(false);
    expect(closes(reopenTurn(turn), startMs)).toBe(false);
    expect(closes(afterCaptures('answered', 1, 'known', turn), startMs)).toBe(false);
    const both = afterCaptures('foreign', 1, 'unknown', afterCaptures('unanswered', 2, 'unknown'));
    expect(closes(both, startMs + 200_000)).toBe(false);
  });

  test('counts an arrival elsewhere though the verdict gave the turn back before', () => {
    const holder = asker('unknown');
    const answered = endTurn(taken(freshTurn, holder), holder, 'answered', startMs);
    const next = asker('unknown');
    const turn = endTurn(taken(answered, next), holder, 'foreign', startMs);
    const { attemptId } = holder;
    expect(turn.pressure).toEqual([{ kind: 'foreign', attemptId, atMs: startMs }]);
    expect(turn.holder?.attemptId).toBe(next.attemptId);
  });

  test('counts one capture once, and an arrival for more than silence', () => {
    const [one, other] = [asker('unknown'), asker('unknown')];
    const silent = endTurn(taken(freshTurn, one), one, 'unanswered', startMs);
    let turn = endTurn(silent, one, 'foreign', startMs + 1);
    for (let times = 0; times < 9; times += 1) {
      turn = endTurn(turn, one, 'foreign', startMs + 2 + times);
    }
    expect(turn.pressure).toEqual([
      { kind: 'foreign', attemptId: one.attemptId, atMs: startMs + 1 },
    ]);
    expect(takeTurn(turn, other, startMs + 20).turn).toBeDefined();
    const second = endTurn(taken(turn, other), other, 'foreign', startMs + 21);
    expect(takeTurn(second, asker('unknown'), startMs + 22)).toEqual({ refused: 'closed' });
  });

  test('is not counted of a known device, nor of a browser that was back', () => {
    expect(afterCaptures('unanswered', 4, 'known').pressure).toEqual([]);
    expect(afterCaptures('left', 4, 'unknown').pressure).toEqual([]);
  });

  test('keeps what it needs and no more', () => {
    let turn: Turn = freshTurn;
    for (let at = 0; at < 50; at += 1) {
      turn = endTurn(turn, asker('unknown'), 'foreign', startMs + at);
    }
    expect(turn.pressure.length).toBeLessThanOrEqual(5);
    expect(takeTurn(turn, asker('unknown'), startMs + 50)).toEqual({ refused: 'closed' });
    expect(turnKeptSeconds(turn)).toBe(86_400);
  });

  test('stays after a good selfie on a new browser, which may be the stranger’s own', () => {
    const turn = afterCaptures('unanswered', 2, 'unknown');
    expect(afterCaptures('answered', 1, 'unknown', turn).pressure).toEqual(turn.pressure);
    expect(afterCaptures('answered', 1, 'known', turn).pressure).toEqual([]);
  });

  test('and failures are not counted for a capture that no longer has the turn', () => {
    const [late, holder] = [asker('unknown'), asker('unknown')];
    const turn = taken(freshTurn, holder);
    for (const how of ['declined', 'answered', 'left', 'unanswered'] as const) {
      expect(endTurn(turn, late, how, startMs)).toBe(turn);
    }
  });

  test('is kept for a month where selfies were declined, for a year and more where it is closed', () => {
    expect(turnKeptSeconds(freshTurn)).toBe(86_400);
    expect(turnKeptSeconds(afterCaptures('declined', 1, 'known'))).toBe(30 * 86_400);
    expect(turnKeptSeconds(afterCaptures('declined', failuresAtMost, 'unknown'))).toBe(
      400 * 86_400,
    );
  });
});
