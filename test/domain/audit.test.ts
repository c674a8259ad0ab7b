import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { accountsIn, beginning, hashOf, lastOf, nextBlock } from '../../src/domain/audit.ts';
import { createChainCheck } from '../../src/domain/audit-check.ts';
import type { AuditEvent } from '../../src/domain/event.ts';

const at = (event: AuditEvent['event'], about: Partial<AuditEvent> = {}): AuditEvent => ({
  ...{ event, atMs: 1_000 },
  ...about,
});

it.each<[string, AuditEvent[], string[]]>([
  ['steps of a sign-in alone', [at('capture.created', { claimed: 'a' })], []],
  ['its end, with its steps', [at('login.started'), at('login.denied', { claimed: 'a' })], ['a']],
  ['its end by time', [at('login.expired', { claimed: 'a' })], ['a']],
  ['an opened face', [at('account.portrait_opened', { account: 'a', reason: 'sign_in' })], ['a']],
  [
    'two of them, each once',
    [
      at('login.completed', { account: 'a' }),
      at('account.changed', { account: 'b' }),
      at('factor.added', { account: 'a' }),
    ],
    ['a', 'b'],
  ],
])('[PL-26] a block is found by account for %s', (_what, events, found) => {
  expect(accountsIn(events)).toEqual(found);
});

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

it.each([
  ['before the one that it follows is named', -1, ['block 1 is not the one that block 2 follows']],
  ['in the same moment is right', 0, []],
])('[PL-26] a block that was written %s', (_what, laterMs, problems) => {
  const tools = { nowMs: 5_000, keptMs: 1_000_000, hash };
  const first = nextBlock(beginning, [at('login.denied')], tools);
  const second = nextBlock(lastOf(first), [at('login.denied')], tools);
  const { hash: _, ...content } = { ...second, atMs: first.atMs + laterMs };
  const chain = createChainCheck({ hash, nowMs: 6_000, head: undefined });
  chain.take(2, { ...content, hash: hashOf(content, hash) });
  chain.take(1, first);
  expect(chain.report().problems).toEqual(problems);
});
