/** The work of `policy explain` and `policy replay`: what was decided, and what another policy would have decided. */
import { loadConfig } from '../../config/load.ts';
import { loadPolicy } from '../../config/policies.ts';
import { type Explanation, explanationView, plainly } from '../../domain/explain.ts';
import { type Decision, type Policy, decide, unknownSignals } from '../../domain/policy.ts';
import { asReference } from '../../domain/reference.ts';
import { createExplanations } from '../../store/explanations.ts';
import { openStore } from '../../store/open.ts';
import type { Report } from './policy.ts';
import { createTeller } from './progress.ts';

const unitsMs = { h: 3_600_000, d: 86_400_000 } as const;

/** @param reference as the page shows it to the person. @param nameOrPath the policy to ask again; the configured one. */
export async function explainSignIn(
  reference: string,
  nameOrPath: string | undefined,
  configFile: string | undefined,
): Promise<Report> {
  return withExplanations(configFile, async (explanations, configured) => {
    const policy = loadPolicy(nameOrPath ?? configured);
    const found = await explanations.of(asReference(reference));
    const attempts = found.map((explanation) => {
      const now = explanation.decision && again(policy, explanation.decision);
      return { explanation, now };
    });
    const lines = attempts.flatMap(({ explanation, now }) => [
      plainly(explanation),
      ...detailsOf(explanation, now),
    ]);
    const isThere = found.length > 0;
    return {
      isRight: isThere,
      lines: isThere ? lines : ['no such reference: they are kept for ninety days'],
      data: {
        attempts: attempts.map(({ explanation, now }) => ({
          ...explanationView(explanation),
          ...(now ? { again: now } : {}),
        })),
      },
    };
  });
}

function detailsOf({ decision, steps }: Explanation, now: Decision | undefined): string[] {
  const signals = Object.entries(decision?.signals ?? {}).map(
    ([name, value]) => `${name} ${value}`,
  );
  return [
    ...(signals.length > 0 ? [`  signals: ${signals.join(', ')}`] : []),
    `  steps: ${steps.map(({ step, afterMs }) => `${step} ${afterMs} ms`).join(', ')}`,
    ...(now ? [`  policy ${now.policy} decides now: ${now.action}, ${now.rule}`] : []),
  ];
}

/**
 * Signals that were not looked up then count as unknown: where the other policy asks for more of them, it may decide
 * more strictly here than it would have.
 */
function again(policy: Policy, { signals }: Decision): Decision {
  return decide(policy, { ...unknownSignals, ...signals });
}

interface Counted {
  from: string;
  to: string;
  count: number;
}

/** @param since so many hours or days: `36h`, `7d`. @throws where it is neither. */
export async function replay(
  nameOrPath: string,
  since: string,
  configFile: string | undefined,
): Promise<Report> {
  const policy = loadPolicy(nameOrPath);
  const sinceMs = Date.now() - durationMs(since);
  return withExplanations(configFile, async (explanations) => {
    const counts = new Map<string, Counted>();
    const tell = createTeller();
    let [looked, partly] = [0, 0];
    for await (const { decision } of explanations.since(sinceMs)) {
      tell(`${(looked += 1)} sign-ins looked at`);
      if (!decision) continue;
      const now = again(policy, decision);
      if (isPartlyKnown(policy, decision)) partly += 1;
      const key = `${decision.action} → ${now.action}`;
      const counted = counts.get(key) ?? { from: decision.action, to: now.action, count: 0 };
      counts.set(key, { ...counted, count: counted.count + 1 });
    }
    const all = [...counts].sort(([, one], [, other]) => other.count - one.count);
    const total = all.reduce((sum, [, { count }]) => sum + count, 0);
    const lines = [
      `${total} decisions since ${new Date(sinceMs).toISOString()}, by policy ${policy.name}:`,
      ...all.map(([key, { count }]) => `  ${key}: ${count}`),
      ...(partly > 0
        ? [
            `  ${partly} of them without signals that this policy asks for; those counted as unknown`,
          ]
        : []),
    ];
    const changes = all.map(([, counted]) => counted);
    return { isRight: true, lines, data: { policy: policy.name, total, partly, changes } };
  });
}

/** Infinity is not kept, and is what a missing number counts as. */
function isPartlyKnown({ needs }: Policy, { signals }: Decision): boolean {
  return [...needs].some((name) => name !== 'hours_since_proof' && !(name in signals));
}

function durationMs(text: string): number {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  if (count === undefined || (unit !== 'h' && unit !== 'd')) {
    throw new Error(`--since is so many hours or days, for instance 36h or 7d, and not "${text}"`);
  }
  return Number(count) * unitsMs[unit];
}

async function withExplanations(
  fileName: string | undefined,
  work: (
    explanations: ReturnType<typeof createExplanations>,
    policyFile: string,
  ) => Promise<Report>,
): Promise<Report> {
  const { config } = loadConfig({ fileName, env: process.env });
  const { store } = await openStore({ ...config.store, clock: Date.now });
  try {
    return await work(createExplanations(store, Date.now), config.policyFile);
  } finally {
    await store.close();
  }
}
