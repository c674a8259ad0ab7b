/** What commands and the admin API both say of a thing, member by member. */
import { expect, it } from 'vitest';
import { verificationView } from '../../src/domain/audit-check.ts';
import { entryView } from '../../src/domain/audit.ts';
import { explanationView } from '../../src/domain/explain.ts';
import { caseView } from '../../src/ops/acts/reviews.ts';
import { capsView } from '../../src/ops/caps.ts';
import { rotatedView } from '../../src/ops/keys/rotate.ts';
import { keyView } from '../../src/ops/keys/uses.ts';
import { outageView } from '../../src/ops/outage.ts';

const [atMs, laterMs] = [Date.UTC(2026, 10, 30, 8), Date.UTC(2026, 10, 30, 9, 30)];
const [at, later] = ['2026-11-30T08:00:00.000Z', '2026-11-30T09:30:00.000Z'];

it('an entry of the audit log has a time, and how long somebody waited', () => {
  const entry = { event: 'login.completed', atMs, account: 'a', seq: 4, at: 1 } as const;
  const read = { time: at, event: 'login.completed', account: 'a', seq: 4, at: 1 };
  expect(entryView(entry)).toEqual(read);
  expect(entryView({ ...entry, waitedMs: 900 })).toEqual({ ...read, waited_ms: 900 });
});

it('a check of the audit log has an anchor where there is anything', () => {
  const some = {
    ok: true,
    blocks: 2,
    entries: 5,
    firstSeq: 3,
    lastSeq: 4,
    hash: 'h',
    problems: [],
  };
  const read = { ok: true, blocks: 2, entries: 5, first_seq: 3, last_seq: 4, problems: [] };
  expect(verificationView(some)).toEqual({ ...read, anchor: '4:h' });
  const none = { ...some, blocks: 0, entries: 0, firstSeq: 0, lastSeq: 0, hash: '' };
  expect(verificationView(none)).toEqual({
    ...{ ...read, blocks: 0, entries: 0, first_seq: 0, last_seq: 0 },
  });
});

it('an explanation has when it began, and each step so long after it', () => {
  const same = {
    ...{ reference: 'AAAA-2222', attempt: 'a', client: { id: 'wiki', name: 'Wiki' } },
    ...({ kind: 'login', outcome: 'signed_in', selfies: 1 } as const),
  };
  const steps = [{ step: 'verdict', afterMs: 2_100 }] as const;
  expect(explanationView({ schema: 1, ...same, beganAtMs: atMs, steps })).toEqual({
    ...{ ...same, began_at: at },
    steps: [{ step: 'verdict', after_ms: 2_100 }],
  });
});

it('a key has since when it is what it is, and when it is next something else', () => {
  const key = { use: 'signing', id: 'k', alg: 'ES256', state: 'signing' } as const;
  expect(keyView(key)).toEqual(key);
  expect(keyView({ ...key, sinceMs: atMs, nextMs: laterMs })).toEqual({
    ...{ ...key, since: at, next: later },
  });
  expect(rotatedView({ use: 'signing', ids: ['k'], fromMs: laterMs })).toEqual({
    ...{ use: 'signing', ids: ['k'], from: later },
  });
});

it('an outage has its times, who said so, and what is planned', () => {
  expect(outageView({ didit: 'up', planned: [] })).toEqual({ didit: 'up', planned: [] });
  const said = { by: 'ann', note: 'they called' };
  const planned = [{ fromMs: atMs, untilMs: laterMs, ...said }];
  const now = { didit: 'off', sinceMs: atMs, untilMs: laterMs, ...said, planned } as const;
  expect(outageView(now)).toEqual({
    ...{ didit: 'off', since: at, until: later, ...said },
    planned: [{ from: at, until: later, ...said }],
  });
});

it('caps have those of each client', () => {
  const [all, each] = [{ month: { hard: 9 } }, { day: { soft: 1 } }];
  expect(capsView({ all, eachClient: each, clients: { wiki: all } })).toEqual({
    ...{ all, each_client: each, clients: { wiki: all } },
  });
  expect(capsView({})).toEqual({});
});

it('a case has who approved it first while it is open, and who closed it after that', () => {
  const same = {
    ...{ id: 'c', reference: 'AAAA-2222', attempt: 'a', account: 'sub' },
    ...({ kind: 'login', reason: 'in_review', status: 'open' } as const),
  };
  const client = { id: 'wiki', name: 'Wiki' };
  const open = { schema: 1, ...same, client, openedAtMs: atMs, closedBy: ['ann'] } as const;
  const read = { ...same, client: 'wiki', client_name: 'Wiki', opened_at: at };
  const console = 'https://console.example/{session}';
  expect(caseView(open, console)).toEqual({ ...read, approved_by: ['ann'] });
  const closed = {
    ...{ ...open, closedBy: ['ann', 'otto'], closedReason: 'same person' },
    ...{ closedAtMs: laterMs, authTime: atMs / 1000, diditSessionId: 'd/1' },
    status: 'approved' as const,
  };
  expect(caseView(closed, console)).toEqual({
    ...{ ...read, status: 'approved', signed_in_at: at },
    ...{ closed_by: ['ann', 'otto'], closed_at: later, closed_reason: 'same person' },
    ...{ didit_session: 'd/1', didit_console: 'https://console.example/d%2F1' },
  });
});
