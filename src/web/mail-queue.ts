/**
 * Mails that may come a little later: written down first, handed over by whichever process comes first, tried again
 * with growing pauses while the mail server is away, and given up after a day. Nobody waits for them.
 */
import type { Clock, Random } from '../domain/environment.ts';
import type { Addressee, Message } from '../domain/message.ts';
import { createDueList } from '../store/due.ts';
import type { Store } from '../store/store.ts';

export interface QueuedMail {
  schema: 1;
  id: string;
  to: Addressee;
  message: Message;
  sinceMs: number;
}

export interface MailQueueTools {
  store: Store;
  clock: Clock;
  random: Random;
  /** @returns whether that is all that is to be done about it. */
  handOver: (mail: QueuedMail) => Promise<boolean>;
  /** A day has gone by. */
  givenUp: (mail: QueuedMail) => void;
  failed: (error: unknown) => void;
}

const mailKeptMs = 86_400_000;
/** A server that is being restarted, one that is being repaired; then once an hour. */
const pausesMs = [5_000, 30_000, 120_000, 600_000, 1_800_000];
const lastPauseMs = 3_600_000;
/** A try takes five seconds at most. */
const leaseMs = 15_000;
/** Longer than a mail is tried, so that its end can still be told. */
const recordSeconds = 2 * 86_400;

export function createMailQueue(tools: MailQueueTools) {
  const { store, clock, random, handOver, givenUp, failed } = tools;
  const due = createDueList({
    ...{ store, clock, failed, leaseMs, work },
    index: 'mails:due',
    keptSeconds: recordSeconds,
  });
  const keyOf = (id: string): string => `mail:${id}`;

  async function work(member: string): Promise<void> {
    const [id, tries] = JSON.parse(member) as [string, number];
    const stored = await store.get(keyOf(id));
    if (!stored) return;
    const mail = JSON.parse(stored.value) as QueuedMail;
    if (clock() - mail.sinceMs >= mailKeptMs) givenUp(mail);
    else if (!(await handOver(mail))) {
      await due.add(JSON.stringify([id, tries + 1]), pausesMs[tries] ?? lastPauseMs);
      return;
    }
    await store.delete(keyOf(id));
  }

  return {
    async add(to: Addressee, message: Message): Promise<void> {
      const mail: QueuedMail = { schema: 1, id: random(16), to, message, sinceMs: clock() };
      await store.put(keyOf(mail.id), JSON.stringify(mail), { ttlSeconds: recordSeconds });
      await due.add(JSON.stringify([mail.id, 0]), 0);
      due.nudge();
    },
    start: due.start,
    stop: due.stop,
  };
}
