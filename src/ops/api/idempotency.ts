/**
 * A program that did not hear the answer asks again, with the same Idempotency-Key, and gets the first answer: the work
 * is done once, however many ask at once. An answer may have a secret in it that is shown once; so it is kept under a
 * key that only the caller has.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Hash, Random, Sleep } from '../../domain/environment.ts';
import { Problem } from '../../domain/problem.ts';
import type { Store } from '../../store/store.ts';
import type { Log } from '../../web/telemetry.ts';
import { Refusal } from '../acts/refusal.ts';

const keptSeconds = 86_400;
/**
 * Should the process die over it, or nobody be able to keep the answer, another one may try anew after that: it is not
 * known here what was done.
 */
const workingSeconds = 120;
const lookEveryMs = 50;
const looksAtMost = 100;

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: unknown;
}

/** Which call it is: by whom, under which name, and what it asks for. */
export interface Call {
  token: string;
  name: string;
  request: string;
}

interface Kept {
  request: string;
  /** Absent while somebody is at it. */
  sealed?: string;
}

export function createIdempotency(tools: {
  store: Store;
  hash: Hash;
  random: Random;
  sleep: Sleep;
  log: Pick<Log, 'warn'>;
}) {
  const { store, hash, random, sleep, log } = tools;

  /** @throws Refusal when the name was used for something else, or somebody has been at it for too long. */
  return async function once(call: Call, work: () => Promise<Answer>): Promise<Answer> {
    const key = `idempotency:${hash(`${call.token}\0${call.name}`)}`;
    const request = hash(call.request);
    for (let looks = 0; looks < looksAtMost; looks += 1) {
      const mine = JSON.stringify({ request } satisfies Kept);
      const begun = await store.put(key, mine, { ifAbsent: true, ttlSeconds: workingSeconds });
      if (begun !== undefined) return finish(key, begun, { ...call, request }, work);
      const stored = await store.get(key);
      if (!stored) continue;
      const kept = JSON.parse(stored.value) as Kept;
      if (kept.request !== request) {
        throw new Refusal('invalid', 'this Idempotency-Key was used for another request');
      }
      if (kept.sealed !== undefined) return open(kept.sealed, call);
      await sleep(lookEveryMs);
    }
    throw new Refusal('conflict', 'the first request of this Idempotency-Key is still under way');
  };

  async function finish(
    key: string,
    ifVersion: string,
    call: Call,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await work();
    } catch (error) {
      // When it was refused nothing was done, and the same request may be sent again. Of a defect nobody knows.
      if (error instanceof Problem) await store.delete(key);
      throw error;
    }
    await keep(key, ifVersion, { request: call.request, sealed: seal(answer, call) });
    return answer;
  }

  /** It is done, whether this can be kept or not: whoever asked has to have the answer. */
  async function keep(key: string, ifVersion: string, kept: Kept): Promise<void> {
    const write = () =>
      store.put(key, JSON.stringify(kept), { ifVersion, ttlSeconds: keptSeconds });
    await write()
      .catch(write)
      .catch((error: unknown) => {
        log.warn('an answer is not kept for its Idempotency-Key', { error: String(error) });
      });
  }

  function seal(answer: Answer, call: Call): string {
    const iv = Buffer.from(random(12), 'base64url');
    const cipher = createCipheriv('aes-256-gcm', keyFor(call), iv);
    const text = Buffer.concat([cipher.update(JSON.stringify(answer)), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
  }
}

function open(sealed: string, call: Call): Answer {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', keyFor(call), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  const text = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  return JSON.parse(text.toString()) as Answer;
}

const keyFor = ({ token, name }: Pick<Call, 'token' | 'name'>): Buffer =>
  Buffer.from(hkdfSync('sha256', token, name, 'didit-oidc idempotency', 32));
