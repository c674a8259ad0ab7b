/** What a decision costs in the worst case: every rule is looked at, and only the last one matches. */
import { parsePolicy } from '../../src/config/policy-file.ts';
import { decide, unknownSignals } from '../../src/domain/policy.ts';
import { quantile } from './measure.ts';

const rules = 50;
const decisionsARound = 20_000;
const rounds = 5;

export function measureDecision(): { decisionUs: number } {
  const policy = policyOfManyRules();
  const roundsUs = Array.from({ length: rounds + 1 }, () => {
    const beginMs = performance.now();
    for (let number = 0; number < decisionsARound; number += 1) {
      const { rule } = decide(policy, { ...unknownSignals, hours_since_proof: number + 10_000 });
      if (rule !== 'everybody else') throw new Error(`decided by ${rule}`);
    }
    return ((performance.now() - beginMs) * 1000) / decisionsARound;
  });
  return { decisionUs: quantile(roundsUs.slice(1), 0.5) };
}

function policyOfManyRules() {
  const lines = Array.from({ length: rules - 1 }, (_, number) => {
    const hours = `hours_since_proof: { at_least: ${number}, below: ${number + 1} }`;
    return `  - { name: rule ${number}, when: { device: new, network: [known, new], vpn: false, ${hours} }, then: selfie }`;
  });
  const end = 'afterwards: [{ name: approved, then: accept }]';
  const text = `before:\n${lines.join('\n')}\n  - { name: everybody else, then: selfie }\n${end}\n`;
  const parsed = parsePolicy(text, 'benchmark');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}
