/** The work of `didit-oidc audit …`. */
import { loadConfig } from '../../config/load.ts';
import { type AuditEntry, entryView } from '../../domain/audit.ts';
import { type Anchor, verificationView } from '../../domain/audit-check.ts';
import { explanationView, plainly } from '../../domain/explain.ts';
import { asReference } from '../../domain/reference.ts';
import { createAccounts } from '../../store/accounts.ts';
import { type Audit, createAudit } from '../../store/audit.ts';
import { type Explanations, createExplanations } from '../../store/explanations.ts';
import { openStore } from '../../store/open.ts';
import { smallRandom } from '../../store/random.ts';
import type { ListOptions, TimeOptions, VerifyOptions } from './audit.ts';
import { type PeopleOptions, print } from './people.ts';
import { createTeller, printEach } from './progress.ts';
import { sha256 } from './recording.ts';
import { timeOf } from './typed.ts';

interface Side {
  audit: Audit;
  explanations: Explanations;
  /** @returns the `sub`; what was given where nobody has that name, as after an erasure. */
  accountOf: (named: string) => Promise<string>;
}

/** These commands look, and write nothing. */
async function withAuditLog(
  { config: fileName }: PeopleOptions,
  look: (side: Side) => Promise<void>,
): Promise<void> {
  const { config } = loadConfig({ fileName, env: process.env });
  const clock = Date.now;
  const { store } = await openStore({ ...config.store, clock });
  try {
    const explanations = createExplanations(store, clock);
    const random = (bytes: number): string => smallRandom(bytes).toString('base64url');
    const accounts = createAccounts(store, { clock, random });
    const audit = createAudit(store, {
      ...{ clock, hash: sha256, keptSeconds: config.audit.keptForSeconds, explanations },
      failed: () => undefined,
    });
    const accountOf = async (named: string): Promise<string> =>
      (await accounts.idOf(named)) ?? named;
    await look({ audit, explanations, accountOf });
  } finally {
    await store.close();
  }
}

export async function list(options: ListOptions): Promise<void> {
  const { client, event, reference, account } = options;
  const limit = wholeNumber(options.limit);
  await withAuditLog(options, async ({ audit, accountOf }) => {
    const filter = {
      ...timesOf(options),
      ...(client === undefined ? {} : { client }),
      ...(event === undefined ? {} : { event }),
      ...(reference === undefined ? {} : { reference: asReference(reference) }),
      ...(account === undefined ? {} : { account: await accountOf(account) }),
    };
    const entries: AuditEntry[] = [];
    let cursor: string | undefined;
    // A page looks at so many blocks and no more, whether or not they have what is asked for.
    do {
      const from = cursor === undefined ? {} : { cursor };
      const page = await audit.page({ ...filter, ...from, limit: limit - entries.length });
      entries.push(...page.entries);
      cursor = page.next;
    } while (cursor !== undefined && entries.length < limit);
    print(options, { entries: entries.map(entryView) }, () => entries.map(lineOf));
  });
}

export async function show(given: string, options: PeopleOptions): Promise<void> {
  const reference = asReference(given);
  await withAuditLog(options, async ({ audit, explanations }) => {
    const explained = await explanations.of(reference);
    const { entries } = await audit.page({ reference, limit: 500 });
    const inOrder = entries.reverse();
    if (inOrder.length === 0 && explained.length === 0) {
      throw new Error(
        'no such reference: explanations are kept for ninety days, entries for AUDIT_KEPT_FOR',
      );
    }
    const attempts = explained.map(explanationView);
    const data = { reference, attempts, entries: inOrder.map(entryView) };
    print(options, data, () => [...explained.map(plainly), ...inOrder.map(lineOf)]);
  });
}

export async function verify(options: VerifyOptions): Promise<void> {
  const anchor = options.anchor === undefined ? undefined : parseAnchor(options.anchor);
  await withAuditLog(options, async ({ audit }) => {
    const tell = createTeller();
    const report = await audit.verify(anchor, (checked, last) =>
      tell(`${checked} of ${last} blocks`),
    );
    const { ok, blocks, entries, firstSeq, lastSeq, hash, problems } = report;
    if (!ok) process.exitCode = 1;
    print(options, verificationView(report), () => [
      ...problems,
      `${blocks} blocks, ${firstSeq} to ${lastSeq}, with ${entries} entries: ${ok ? 'whole' : 'NOT WHOLE'}`,
      // To be noted elsewhere.
      ...(blocks > 0 ? [`anchor ${lastSeq}:${hash}`] : []),
    ]);
  });
}

export async function exportAll(options: TimeOptions): Promise<void> {
  const { sinceMs, untilMs } = timesOf(options);
  await withAuditLog(options, async ({ audit }) => {
    await printEach(viewed(audit.entries(sinceMs, untilMs)), 'entries');
  });
}

async function* viewed(entries: AsyncIterable<AuditEntry>) {
  for await (const entry of entries) yield entryView(entry);
}

function lineOf(entry: AuditEntry): string {
  const { time, event, reference, account, claimed, client, reason, ...others } = entryView(entry);
  const { operators, act, object, kind, enrolment } = others;
  const named = {
    ...{ account, claimed, client, act, object, kind, enrolment },
    operators: operators?.join(','),
  };
  const about = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  return [time, event.padEnd(17), (reference ?? '').padEnd(9), ...about, reason ?? '']
    .join('  ')
    .trimEnd();
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--limit is a whole number, not "${text}"`);
  return Number(text);
}

function parseAnchor(text: string): Anchor {
  const [, seq, hash] = /^(\d{1,15}):([\w-]{43})$/.exec(text.trim()) ?? [];
  if (seq === undefined || hash === undefined) {
    throw new Error('--anchor is SEQ:HASH, as an earlier verify printed it');
  }
  return { seq: Number(seq), hash };
}

function timesOf({ since, until }: TimeOptions): { sinceMs?: number; untilMs?: number } {
  return {
    ...(since === undefined ? {} : { sinceMs: timeOf('--since', since, 'ago') }),
    ...(until === undefined ? {} : { untilMs: timeOf('--until', until, 'ago') }),
  };
}
