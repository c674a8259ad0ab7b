/** The turn of each enrolment, changed only by compare-and-set; see domain/turn.ts for the rules. */
import type { Clock } from '../domain/environment.ts';
import {
  type DeviceClass,
  type Holder,
  type Taken,
  type Turn,
  type TurnEnd,
  endTurn,
  freshTurn,
  reopenTurn,
  takeTurn,
  turnKeptSeconds,
} from '../domain/turn.ts';
import { type Change, type Store, update } from './store.ts';

/** Whose capture it was. */
export type TurnOf = Pick<Holder, 'attemptId' | 'deviceClass'>;

export type Turns = ReturnType<typeof createTurns>;

export function createTurns(store: Store, clock: Clock) {
  function change<T>(
    enrolmentId: string,
    decide: (turn: Turn) => { turn: Turn; result: T },
  ): Promise<T> {
    return update<T>(store, `turn:${enrolmentId}`, (current): Change<T> => {
      const before = current === undefined ? freshTurn : (JSON.parse(current) as Turn);
      const { turn, result } = decide(before);
      if (turn === before) return { result };
      return { value: JSON.stringify(turn), ttlSeconds: turnKeptSeconds(turn), result };
    });
  }

  return {
    take: (enrolmentId: string, asker: Holder): Promise<Taken> =>
      change(enrolmentId, (before) => {
        const taken = takeTurn(before, asker, clock());
        return { turn: taken.turn ?? before, result: taken };
      }),

    end: (enrolmentId: string, of: TurnOf, how: TurnEnd): Promise<void> =>
      change(enrolmentId, (before) => ({
        turn: endTurn(before, of, how, clock()),
        result: undefined,
      })),

    /** Declined in a row, for this kind of device. */
    async failures(enrolmentId: string, deviceClass: DeviceClass): Promise<number> {
      const stored = await store.get(`turn:${enrolmentId}`);
      const turn = stored ? (JSON.parse(stored.value) as Turn) : freshTurn;
      return turn.failures[deviceClass].inARow;
    },

    /** For an enrolment that is no more. */
    forget: (enrolmentId: string): Promise<boolean> => store.delete(`turn:${enrolmentId}`),

    reopen: (enrolmentId: string): Promise<void> =>
      change(enrolmentId, (before) => ({ turn: reopenTurn(before), result: undefined })),
  };
}
