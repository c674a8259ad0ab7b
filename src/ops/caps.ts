/** What operators say of caps: checked, written down with who said it, and heard by every process. */
import { z } from 'zod';
import type { Caps } from '../domain/budget.ts';
import type { Clock } from '../domain/environment.ts';
import type { Record } from '../domain/event.ts';
import type { Budget } from '../store/budget.ts';

const dollars = z.number().min(0).max(10_000_000);
const cap = z
  .strictObject({ soft: dollars.optional(), hard: dollars.optional() })
  .refine(({ soft, hard }) => soft === undefined || hard === undefined || soft <= hard, {
    error: 'the soft cap is above the hard one',
  });
const capsOfOne = z.strictObject({ day: cap.optional(), month: cap.optional() });

/** As operators say and read them. What is absent is as the settings say. */
export const capsSchema = z.strictObject({
  all: capsOfOne.optional(),
  each_client: capsOfOne.optional(),
  clients: z
    .record(z.string().min(1).max(200), capsOfOne)
    .refine((clients) => Object.keys(clients).length <= 1_000, {
      error: 'more than a thousand clients have caps of their own',
    })
    .optional(),
});

export type AskedCaps = z.infer<typeof capsSchema>;

export function capsView({ eachClient, ...others }: Caps): AskedCaps {
  return { ...others, ...(eachClient ? { each_client: eachClient } : {}) };
}

export interface CapsTools {
  budget: Pick<Budget, 'get' | 'set'>;
  record: Record;
  clock: Clock;
}

/** @returns the new version, or undefined when they were changed since `ifVersion`; nothing was changed then. */
export async function setCaps(
  { budget, record, clock }: CapsTools,
  asked: AskedCaps,
  { ifVersion, by }: { ifVersion: string | undefined; by: string },
): Promise<string | undefined> {
  const { each_client: eachClient, ...others } = sensible(capsSchema, asked);
  const caps = { ...others, ...(eachClient ? { eachClient } : {}) } as Caps;
  const version = await budget.set(caps, ifVersion);
  if (version !== undefined) {
    record({ event: 'budget.changed', atMs: clock(), operators: [by] });
  }
  return version;
}

/** @throws what is wrong with it, in words. */
export function sensible<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw new RangeError(wrong.join('; '));
}
