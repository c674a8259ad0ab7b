/** Policies that say one thing, for tests of what comes of it. Used through `vi.mock` of domain/policy.ts. */
import type { Action, Policy } from '../../src/domain/policy.ts';

/** Without a key or a code of this person no selfie is offered, and with one it is. */
export const keyFirst = {
  before: [
    {
      name: 'a known browser',
      when: [{ signal: 'device', anyOf: ['known', 'resting'] }],
      then: 'selfie',
    },
    { name: 'a code', when: [{ signal: 'factor', anyOf: ['shown'] }], then: 'selfie' },
    { name: 'everybody else', when: [], then: 'fallback' },
  ],
} as const satisfies Pick<Policy, 'before'>;

export const always = (then: Action): Pick<Policy, 'before'> => ({
  before: [{ name: `always ${then}`, when: [], then }],
});
