/** What the typed factors need, on a store of one's own: a clock that is moved by hand, and mails that are kept. */
import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { Addressee, Message } from '../../src/domain/message.ts';
import { createFactorRecords } from '../../src/store/factors.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis } from '../store/stores.ts';

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
export const startMs = Date.UTC(2026, 10, 22, 14, 0, 0);

export async function openParts() {
  const key = newKey();
  const opened = await openRedis(await freshRedis(), [key]);
  onTestFinished(() => opened.close());
  let nowMs = startMs;
  const clock = (): number => nowMs;
  const mails: { to: Addressee; message: Message }[] = [];
  return {
    store: opened.store,
    records: createFactorRecords(opened.store),
    /** The same records, from another process. */
    elsewhere: createFactorRecords(opened.neighbour),
    neighbour: opened.neighbour,
    ...{ random, clock, mails, secret: 'a-key-of-the-store' },
    issuerName: 'Example sign-in',
    sendMail: (to: Addressee, message: Message): Promise<void> => {
      mails.push({ to, message });
      return Promise.resolve();
    },
    pass: (seconds: number): void => void (nowMs += seconds * 1_000),
  };
}

/** Everybody at once. @returns how many were told yes. */
export async function countRight(times: number, act: (at: number) => Promise<boolean>) {
  const all = await Promise.all(Array.from({ length: times }, (_, at) => act(at)));
  return all.filter(Boolean).length;
}
