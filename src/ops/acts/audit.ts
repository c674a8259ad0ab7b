/** What happened, and whether all of it is still there; see domain/audit.ts. */
import { z } from 'zod';
import { type AuditEntry, entryView } from '../../domain/audit.ts';
import { verificationView } from '../../domain/audit-check.ts';
import { plainly } from '../../domain/explain.ts';
import { asReference } from '../../domain/reference.ts';
import { dayOf, isoDay } from '../../store/by-day.ts';
import { act, daysQuery, pageQuery } from './act.ts';
import { Refusal, orInvalid } from './refusal.ts';
import type { ActTools } from './tools.ts';

const entryAnswer = z.object({
  time: z.string(),
  event: z.string(),
  attempt: z.string().optional(),
  reference: z.string().optional(),
  account: z.string().optional(),
  /** Whose name was typed, as long as nothing was shown for it. */
  claimed: z.string().optional(),
  client: z.string().optional(),
  reason: z.string().optional(),
  act: z.string().optional(),
  object: z.string().optional(),
  operators: z.array(z.string()).optional(),
  kind: z.string().optional(),
  enrolment: z.string().optional(),
  /** The block that it stands in, and its place there. */
  seq: z.int(),
  at: z.int(),
});

function view(one: AuditEntry): z.input<typeof entryAnswer> {
  const { operators, account, ...entry } = entryView(one);
  return {
    ...entry,
    ...(account === undefined ? {} : { account }),
    ...(operators ? { operators: [...operators] } : {}),
  };
}

const time = z.iso.datetime({ offset: true });

const page = act({
  ...{ id: 'audit.page', method: 'GET', path: '/audit' },
  summary: 'What happened, the newest first. A page may be short, or empty, and still have a next',
  ...{ role: 'viewer', scope: 'audit:read' },
  query: z.strictObject({
    ...pageQuery,
    /** A `sub`, an address or a user name. */
    account: z.string().min(1).max(254).optional(),
    reference: z.string().min(1).max(20).optional(),
    attempt: z.string().min(1).max(64).optional(),
    client: z.string().min(1).max(254).optional(),
    /** A name, or the part before its dot. */
    event: z.string().min(1).max(64).optional(),
    since: time.optional(),
    until: time.optional(),
  }),
  answer: z.object({ entries: z.array(entryAnswer), next: z.string().optional() }),
  async objectOf(_, { query: { account } }, { accounts }) {
    if (account === undefined) return undefined;
    return (await accounts.idOf(account)) ?? (await accounts.find(account))?.id;
  },
  async run({ query: { since, until, account, reference, ...query } }, { audit, accounts }) {
    const asked = {
      ...query,
      reference: reference === undefined ? undefined : asReference(reference),
      // Whoever was erased has a `sub` and no other name.
      account: account === undefined ? undefined : ((await accounts.idOf(account)) ?? account),
      sinceMs: since === undefined ? undefined : Date.parse(since),
      untilMs: until === undefined ? undefined : Date.parse(until),
    };
    const given = Object.entries(asked).filter(([, value]) => value !== undefined);
    const found = await audit.page(Object.fromEntries(given)).catch((error: unknown) => {
      if (error instanceof RangeError) throw new Refusal('invalid', 'the cursor is none of ours');
      throw error;
    });
    const { entries, next } = found;
    return { entries: entries.map(view), ...(next === undefined ? {} : { next }) };
  },
});

const show = act({
  ...{ id: 'audit.show', method: 'GET', path: '/audit/sign-ins/:reference' },
  summary:
    'All of one sign-in in its order, by the reference on the person’s page, and why it went so',
  ...{ role: 'viewer', scope: 'audit:read' },
  params: z.strictObject({ reference: z.string().min(1).max(20) }),
  answer: z.object({
    reference: z.string(),
    /** One sentence a try. */
    plainly: z.array(z.string()),
    entries: z.array(entryAnswer),
  }),
  objectOf: ({ reference }) => reference,
  /** Whoever it turned out to be; else whose name was typed. */
  accountOf({ entries }) {
    const known = entries.findLast(({ account }) => account !== undefined);
    return known?.account ?? entries.find(({ claimed }) => claimed !== undefined)?.claimed;
  },
  async run({ params }, { audit, explanations }: ActTools) {
    const reference = asReference(params.reference);
    const tries = await explanations.of(reference);
    const { entries } = await audit.page({ reference, limit: 500 });
    if (entries.length === 0 && tries.length === 0) {
      throw new Refusal('not_found', 'nothing is known of this reference');
    }
    return { reference, plainly: tries.map(plainly), entries: entries.reverse().map(view) };
  },
});

const count = z.int();
const signIns = act({
  ...{ id: 'audit.sign_ins', method: 'GET', path: '/audit/sign-ins' },
  summary: 'How many sign-ins ended in which way, by day',
  ...{ role: 'viewer', scope: 'audit:read' },
  /** Today when absent. */
  query: daysQuery,
  answer: z.object({
    days: z.array(
      z.object({
        ...{ day: z.iso.date(), completed: count, denied: count },
        /** Also of a link that somebody opened elsewhere after another end. */
        ...{ foreign: count, expired: count },
      }),
    ),
  }),
  async run({ query }, { tally, clock }) {
    const { to = isoDay(dayOf(clock())), from = to } = query;
    const days = await orInvalid(tally.read({ fromDay: from, toDay: to }));
    return { days: days.map(({ day: at, ended }) => ({ day: isoDay(at), ...ended })) };
  },
});

const verify = act({
  ...{ id: 'audit.verify', method: 'GET', path: '/audit/verification' },
  summary: 'Whether anything was changed or taken out; of many entries it takes a while',
  // It reads all that there is, and the alarm hangs on it.
  ...{ role: 'admin', scope: 'audit-verification:read' },
  query: z.strictObject({
    /** What an earlier answer gave as `anchor`. */
    anchor: z
      .string()
      .regex(/^\d{1,15}:[\w-]{43}$/)
      .optional(),
  }),
  answer: z.object({
    ok: z.boolean(),
    blocks: z.int(),
    entries: z.int(),
    first_seq: z.int(),
    last_seq: z.int(),
    /** To be noted elsewhere; absent where there is nothing. */
    anchor: z.string().optional(),
    problems: z.array(z.string()),
  }),
  async run({ query: { anchor } }, { audit }) {
    const [seq, hash = ''] = anchor?.split(':') ?? [];
    const noted = seq === undefined ? undefined : { seq: Number(seq), hash };
    return verificationView(await (noted ? audit.check(noted) : audit.verify()));
  },
});

export { page as auditPage, show as auditOfSignIn, signIns as countSignIns };
export const auditActs = [page, show, signIns, verify];
