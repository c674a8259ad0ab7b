/** The checks that people have to look at. Nothing here signs anybody in, see enrol/review.ts. */
import { z } from 'zod';
import {
  type Reviewed,
  type Word,
  approveReview,
  declineReview,
  makesFaceCount,
} from '../../enrol/review.ts';
import type { ReviewCase } from '../../store/reviews.ts';
import { type Actor, act, idParam, isoTime, pageQuery } from './act.ts';
import { isOperatorNow } from './operator-accounts.ts';
import { mayPerform } from './perform.ts';
import { Refusal, orConflict } from './refusal.ts';
import type { ActTools } from './tools.ts';

const caseAnswer = z.object({
  id: z.string(),
  /** What the person's page shows. */
  reference: z.string(),
  status: z.enum(['open', 'approved', 'declined']),
  reason: z.enum(['in_review', 'policy']),
  kind: z.string(),
  account: z.string(),
  client: z.string(),
  client_name: z.string(),
  attempt: z.string(),
  opened_at: z.string(),
  /** Of a check that was put in doubt after it had signed somebody in. */
  signed_in_at: z.string().optional(),
  /** Of an open case: who was the first of two. */
  approved_by: z.array(z.string()).optional(),
  closed_by: z.array(z.string()).optional(),
  closed_at: z.string().optional(),
  closed_reason: z.string().optional(),
  didit_session: z.string().optional(),
  didit_console: z.string().optional(),
});

export function caseView(found: ReviewCase, consoleUrl: string): z.input<typeof caseAnswer> {
  const { id, reference, status, reason, kind, account, client, attempt, authTime } = found;
  const { diditSessionId: session, openedAtMs, closedBy, closedReason, closedAtMs } = found;
  return {
    ...{ id, reference, status, reason, kind, account, attempt },
    ...{ client: client.id, client_name: client.name, opened_at: isoTime(openedAtMs) },
    ...(authTime === undefined ? {} : { signed_in_at: isoTime(authTime * 1000) }),
    [status === 'open' ? 'approved_by' : 'closed_by']: [...closedBy],
    ...(closedAtMs === undefined ? {} : { closed_at: isoTime(closedAtMs) }),
    ...(closedReason === undefined ? {} : { closed_reason: closedReason }),
    // The pictures stay at Didit: here is the way to them.
    ...(session === undefined
      ? {}
      : {
          didit_session: session,
          didit_console: consoleUrl.replaceAll(
            /\{session\}|%7Bsession%7D/gi,
            encodeURIComponent(session),
          ),
        }),
  };
}

async function findCase(id: string, { reviews }: ActTools): Promise<ReviewCase> {
  const found = await reviews.find(id);
  if (!found) throw new Refusal('not_found', 'there is no such case');
  return found;
}

const list = act({
  ...{ id: 'reviews.list', method: 'GET', path: '/reviews' },
  summary: 'Cases of ninety days, oldest first',
  ...{ role: 'reviewer', scope: 'reviews:read' },
  query: z.strictObject({
    ...pageQuery,
    status: z.enum(['open', 'all']).default('open'),
    account: z.string().min(1).max(254).optional(),
  }),
  answer: z.object({ reviews: z.array(caseAnswer), next: z.string().optional() }),
  async run({ query: { status, account, limit, cursor } }, tools) {
    const { reviews } = tools;
    const after = cursor === undefined ? undefined : await reviews.find(cursor);
    if (cursor !== undefined && !after) throw new Refusal('invalid', 'the cursor is none of ours');
    const found: ReviewCase[] = [];
    for await (const one of reviews.list({ account, isOpen: status === 'open', after })) {
      found.push(one);
      if (found.length > limit) break;
    }
    const page = found.slice(0, limit);
    const next = found.length > limit ? page.at(-1)?.id : undefined;
    return {
      reviews: page.map((one) => caseView(one, tools.consoleUrl)),
      ...(next ? { next } : {}),
    };
  },
});

const get = act({
  ...{ id: 'reviews.get', method: 'GET', path: '/reviews/:id' },
  summary: 'One case',
  ...{ role: 'reviewer', scope: 'reviews:read' },
  params: idParam,
  answer: caseAnswer,
  accountOf: ({ account }) => account,
  run: async ({ params: { id } }, tools) => caseView(await findCase(id, tools), tools.consoleUrl),
});

const word = z.strictObject({
  /** One line; it goes into the log, and to the person when they ask what is known about them. */
  reason: z
    .string()
    .trim()
    .min(1)
    .max(300)
    .regex(/^\P{Cc}*$/u, 'is one line'),
});

const closed = z.object({
  id: z.string(),
  /** `waits`: for a second operator. */
  state: z.enum(['waits', 'approved', 'declined']),
  /** Was the person written to? */
  mailed: z.boolean(),
});

const approve = act({
  ...{ id: 'reviews.approve', method: 'POST', path: '/reviews/:id/approve' },
  summary: 'It may be the person: they may try again, or their face is enrolled; signs nobody in',
  ...{ role: 'reviewer', scope: 'reviews:write' },
  params: idParam,
  ...{ body: word, answer: closed },
  async run({ params, body }, tools, by) {
    const found = await findCase(params.id, tools);
    // One person may hold several keys.
    if (tools.reviewTools.twoPeople && by.kind === 'key') {
      throw new Refusal('forbidden', 'it takes two people, and a key is none');
    }
    // The other of the two is who approved it at Didit.
    if (makesFaceCount(found)) {
      const { clock, environment } = tools;
      const needs = { role: 'reviewer', scope: 'reviews:write', takesTwo: true } as const;
      mayPerform(needs, by, { nowSeconds: clock() / 1000, environment });
    }
    const counted = await withoutVoidHalf(found, tools);
    return close(counted, { by, reason: body.reason }, approveReview, tools);
  },
});

const decline = act({
  ...{ id: 'reviews.decline', method: 'POST', path: '/reviews/:id/decline' },
  summary: 'It is not the person, or nobody can tell',
  ...{ role: 'reviewer', scope: 'reviews:write' },
  params: idParam,
  ...{ body: word, answer: closed },
  run: async ({ params, body }, tools, by) =>
    close(await findCase(params.id, tools), { by, reason: body.reason }, declineReview, tools),
});

/** Who was the first of two and is no operator any more, or never signed in as one, is not the first of two. */
async function withoutVoidHalf(found: ReviewCase, tools: ActTools): Promise<ReviewCase> {
  const [first] = found.closedBy;
  if (found.status !== 'open' || first === undefined) return found;
  if (await isOperatorNow(first, 'reviewer', tools)) return found;
  const changed = await tools.reviews.change(found.id, (now) =>
    now.closedBy[0] === first ? { ...now, closedBy: [] } : now,
  );
  return changed ?? findCase(found.id, tools);
}

async function close(
  found: ReviewCase,
  { by, reason }: { by: Actor; reason: string },
  work: (found: ReviewCase, said: Word, tools: ActTools['reviewTools']) => Promise<Reviewed>,
  tools: ActTools,
) {
  const { id, account } = found;
  if (account === by.name) throw new Refusal('forbidden', 'nobody decides about themself');
  const said = { operator: by.name, reason };
  return { id, ...(await orConflict(work(found, said, tools.reviewTools))) };
}

export {
  list as listReviews,
  get as getReview,
  approve as approveReviewCase,
  decline as declineReviewCase,
};
export const reviewActs = [list, get, approve, decline];
