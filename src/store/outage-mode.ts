/** When Didit is not asked: the switch and the planned times, one record that all processes go by. */
import type { Clock } from '../domain/environment.ts';
import {
  type OutagePlan,
  type OutageState,
  noPlan,
  plannedState,
  tidied,
} from '../domain/outage.ts';
import { createBelieved } from './believed.ts';
import type { Store } from './store.ts';

export type OutageMode = ReturnType<typeof createOutageMode>;

export function createOutageMode(store: Store, clock: Clock) {
  const plan = createBelieved<OutagePlan>(store, 'outage', clock);

  return {
    /** As this process believes it; costs nothing. */
    now: (): OutageState => plannedState(plan.peek() ?? noPlan, clock()),

    read: async (): Promise<OutagePlan> => tidied((await plan.read()).value ?? noPlan, clock()),

    /** @returns the plan as it is then. */
    async change(next: (plan: OutagePlan) => OutagePlan): Promise<OutagePlan> {
      for (let round = 0; round < 50; round += 1) {
        const { value = noPlan, version } = await plan.read();
        const changed = tidied(next(value), clock());
        if ((await plan.write(changed, version)) !== undefined) return changed;
      }
      throw new Error('the plan of outages is changed by many at once');
    },

    listen: (): Promise<() => Promise<void>> => plan.listen(),
  };
}
