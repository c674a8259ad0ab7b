/** How Didit is, as far as this process has seen: the state of each breaker of transport.ts. */
import type { Clock } from '../domain/environment.ts';
import type { CircuitState, OutageState } from '../domain/outage.ts';
import type { DiditCall } from './transport.ts';

type Operation = DiditCall['operation'];

/** Once nobody has failed for so long, nobody knows, and the next person is no worse off for trying. */
const failingForMs = 60_000;

export type DiditOperations = Readonly<Partial<Record<Operation, CircuitState>>>;

export function createDiditHealth(clock: Clock) {
  const states: Partial<Record<Operation, CircuitState>> = {};
  let since: { atMs: number; lastMs: number } | undefined;

  return {
    heard(operation: Operation, state: CircuitState): void {
      states[operation] = state;
      // Of selfies: whether they can be begun.
      if (operation !== 'create') return;
      if (state === 'open') {
        since = { atMs: since?.atMs ?? clock(), lastMs: clock() };
      } else if (state === 'closed') {
        since = undefined;
      }
    },

    now(): OutageState {
      if (!since || clock() - since.lastMs >= failingForMs) return { didit: 'up' };
      return { didit: 'failing', sinceMs: since.atMs };
    },

    operations: (): DiditOperations => ({ ...states }),
  };
}
