/** The audit log in a store of the test's own, in a time that passes when the test says so. */
import { createHash, randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { AuditBlock } from '../../src/domain/audit.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import { type AuditTools, createAudit } from '../../src/store/audit.ts';
import { createExplanations } from '../../src/store/explanations.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export const day = 86_400_000;
export const minute = 60_000;
export const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

export async function begin({ url = 'sqlite::memory:', keptSeconds = 400 * 86_400 } = {}) {
  const time = { nowMs: Date.UTC(2026, 10, 22) };
  const clock = (): number => time.nowMs;
  const encryptionKeys = [randomBytes(32).toString('base64')];
  const open = async (): Promise<Store> => {
    const { store } = await openStore({ url, encryptionKeys, clock });
    onTestFinished(() => store.close());
    return store;
  };
  const store = await open();
  const failures: unknown[] = [];
  const explanations = createExplanations(store, clock);
  const another = (own = store, settings: Partial<AuditTools> = {}) => {
    const audit = createAudit(own, {
      ...{ clock, hash, keptSeconds, explanations, failed: (error) => void failures.push(error) },
      ...settings,
    });
    onTestFinished(() => audit.close());
    return audit;
  };
  const audit = another();
  return {
    ...{ time, clock, store, open, audit, another, failures, explanations },
    /** One block of its own for each, a minute apart. */
    fill: async (count: number, about: Partial<AuditEvent> = {}): Promise<void> => {
      for (let number = 1; number <= count; number += 1) {
        time.nowMs += minute;
        audit.record(completed({ atMs: time.nowMs, ...about }));
        await audit.flush();
      }
    },
    read: async (seq: number) => JSON.parse((await store.get(`audit:${seq}`))!.value) as AuditBlock,
    write: (seq: number, block: object) => store.put(`audit:${seq}`, JSON.stringify(block)),
    /** By a process that knows nothing of before. */
    problems: async (...args: Parameters<typeof audit.verify>) =>
      (await another().verify(...args)).problems,
  };
}

export const completed = (about: Partial<AuditEvent>): AuditEvent => ({
  ...{ event: 'login.completed', atMs: 0, attempt: 'attempt', client: 'first' },
  ...about,
});
