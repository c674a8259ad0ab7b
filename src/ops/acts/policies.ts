/** By which rules it is decided what a sign-in takes, and why one went as it did. */
import { z } from 'zod';
import { type Explanation, plainly } from '../../domain/explain.ts';
import { asReference } from '../../domain/reference.ts';
import { act, isoTime } from './act.ts';
import { Refusal } from './refusal.ts';

const list = act({
  ...{ id: 'policies.list', method: 'GET', path: '/policies' },
  summary: 'Which policies are in force, and which one only decides beside them',
  ...{ role: 'viewer', scope: 'policies:read' },
  answer: z.object({
    for_all: z.string(),
    shadow: z.string().optional(),
    policies: z.array(
      z.object({
        name: z.string(),
        /** In their order: the first one whose conditions hold decides. */
        rules: z.array(z.object({ name: z.string(), then: z.string() })),
      }),
    ),
  }),
  run(_, { policies: { list: all, shadow } }) {
    const [forAll] = all;
    return Promise.resolve({
      for_all: forAll?.name ?? '',
      ...(shadow ? { shadow: shadow.name } : {}),
      policies: all.map(({ name, before }) => ({
        name,
        rules: before.map((rule) => ({ name: rule.name, then: rule.then })),
      })),
    });
  },
});

const explained = z.object({
  /** One sentence. */
  plainly: z.string(),
  began_at: z.string(),
  attempt: z.string(),
  client: z.string(),
  kind: z.string(),
  outcome: z.string(),
  reason: z.string().optional(),
  because: z.string().optional(),
  acr: z.string().optional(),
  amr: z.array(z.string()).optional(),
  decision: z
    .object({
      action: z.string(),
      policy: z.string(),
      rule: z.string(),
      /** What the rule said, where the app asked for more. */
      instead: z.string().optional(),
      signals: z.record(z.string(), z.unknown()),
    })
    .optional(),
  steps: z.array(z.object({ step: z.string(), after_ms: z.number() })),
  selfies: z.int(),
});

function view(one: Explanation): z.input<typeof explained> {
  const { attempt, kind, outcome, reason, because, acr, amr, selfies, decision } = one;
  return {
    ...{ plainly: plainly(one), began_at: isoTime(one.beganAtMs), client: one.client.id },
    ...{ attempt, kind, outcome, selfies },
    ...(reason === undefined ? {} : { reason }),
    ...(because === undefined ? {} : { because }),
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr: [...amr] }),
    ...(decision ? { decision: { ...decision, signals: { ...decision.signals } } } : {}),
    steps: one.steps.map(({ step, afterMs }) => ({ step, after_ms: afterMs })),
  };
}

const explain = act({
  ...{ id: 'policies.explain', method: 'GET', path: '/explanations/:reference' },
  summary: 'Why a sign-in went as it did, by the reference on the person’s page; every try of it',
  ...{ role: 'viewer', scope: 'policies:read' },
  params: z.strictObject({ reference: z.string().min(1).max(20) }),
  answer: z.object({ reference: z.string(), tries: z.array(explained) }),
  async run({ params }, { explanations }) {
    const reference = asReference(params.reference);
    const tries = await explanations.of(reference);
    if (tries.length === 0) throw new Refusal('not_found', 'nothing is known of this reference');
    return { reference, tries: tries.map(view) };
  },
});

export { list as listPolicies };
export const policyActs = [list, explain];
