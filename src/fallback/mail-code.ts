/**
 * A code by mail, to be typed into the page that asked for it. There is no link: one could be followed in another
 * browser, by a scanner, or by somebody who was told to.
 */
import type { Clock, Random } from '../domain/environment.ts';
import type { Message, SendMail } from '../domain/message.ts';
import type { Store } from '../store/store.ts';
import { isSameHash, keyedHash, typedCode } from './codes.ts';

const digits = 8;
const minutes = 10;
const triesAtMost = 5;
const ttlSeconds = minutes * 60;

interface MailCode {
  /** Of this very code: its tries are counted by it. */
  id: string;
  hash: string;
  expiresAtMs: number;
}

export type MailCodes = ReturnType<typeof createMailCodes>;

export function createMailCodes({
  store,
  random,
  clock,
  secret,
  sendMail,
}: {
  store: Store;
  random: Random;
  clock: Clock;
  secret: string;
  sendMail: SendMail;
}) {
  const keyOf = (key: string): string => `mail-code:${key}`;
  const hashOf = (key: string, code: string): string => keyedHash(secret, 'mail', key, code);

  /** @param of `key`: whose code it is, an attempt or an account. A new code ends the one before it. */
  async function send(of: {
    key: string;
    address: string;
    locale?: string | undefined;
    purpose: Extract<Message, { kind: 'code' }>['purpose'];
  }): Promise<void> {
    const { key, address, locale, purpose } = of;
    const code = newCode(random);
    const kept: MailCode = {
      id: random(16),
      hash: hashOf(key, code),
      expiresAtMs: clock() + minutes * 60_000,
    };
    await store.put(keyOf(key), JSON.stringify(kept), { ttlSeconds });
    await sendMail({ address, locale }, { kind: 'code', purpose, code, minutes });
  }

  /**
   * A try counts before it is looked at, and costs the same where there is no code.
   * @returns what uses it up, when it is right; of many who do so at once, one does.
   */
  async function check(key: string, code: string): Promise<(() => Promise<boolean>) | undefined> {
    const stored = await store.get(keyOf(key));
    const kept = stored && (JSON.parse(stored.value) as MailCode);
    const counter = `mail-code-tries:${key}:${kept?.id ?? ''}`;
    const tries = await store.increment(counter, { ttlSeconds });
    const isRight = isSameHash(hashOf(key, typedCode(code)), kept?.hash ?? '');
    if (!kept || !isRight || tries > triesAtMost || clock() >= kept.expiresAtMs) return undefined;
    // The record stays for a second, as one that no code fits.
    const used: MailCode = { ...kept, hash: '' };
    const condition = { ttlSeconds: 1, ifVersion: stored.version };
    return async () => (await store.put(keyOf(key), JSON.stringify(used), condition)) !== undefined;
  }

  async function verify(key: string, code: string): Promise<boolean> {
    const use = await check(key, code);
    return use !== undefined && (await use());
  }

  /** Several codes that count only together: while one is wrong, none of them is used up. */
  async function verifyAll(typed: readonly { key: string; code: string }[]): Promise<boolean> {
    const checked = await Promise.all(typed.map(({ key, code }) => check(key, code)));
    const uses = checked.filter((use) => use !== undefined);
    if (uses.length < typed.length) return false;
    return (await Promise.all(uses.map((use) => use()))).every(Boolean);
  }

  return { send, verify, verifyAll };
}

/** 64 random bits: what is left over by the division is one in 10^11. */
function newCode(random: Random): string {
  const number = Buffer.from(random(8), 'base64url').readBigUInt64BE();
  return String(number % 10n ** BigInt(digits)).padStart(digits, '0');
}
