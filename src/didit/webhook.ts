/**
 * `POST /webhooks/didit`: the doorbell.
 *
 * The bytes are verified as they came, before anything parses them. A valid ring makes us look at Didit's API;
 * it grants nothing by itself, and a ring that is repeated merely makes us look again. The answer is 2xx only
 * after what there was to save has been saved: Didit repeats itself only twice.
 */
import type { Context, Middleware } from 'koa';
import rawBody from 'raw-body';
import type { Clock, Hash } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import { outcomeOf } from '../domain/budget.ts';
import { Problem } from '../domain/problem.ts';
import type { createCountEnd } from './count-end.ts';
import type { Ring } from './look.ts';
import { DiditError } from './port.ts';
import type { Reconcile } from './reconcile.ts';
import type { DiditSessions } from './sessions.ts';
import { createAddressList, createCoalescer, createEventMemory, createShares } from './rings.ts';
import type { Settle } from './settle.ts';
import { type WebhookRefusal, verifyWebhook } from './signature.ts';
import { type DiditWebhookEvent, diditWebhookEvent } from './wire.ts';

export const webhookPath = '/webhooks/didit';

const maximumBytes = 512 * 1024;
const bodyTimeoutMs = 5_000;
export const toleranceSeconds = 300;
/**
 * Bodies that are being read cost nothing to begin, and anybody may: one address gets a share of them, so that a
 * stranger who dribbles does not keep Didit out. What is acted upon has a valid signature.
 */
const maximumReading = 512;
const maximumReadingOfOne = 128;
const maximumActing = 64;

/** Didit's session is still open: there is nothing to read yet. */
const openStatuses = new Set(['Not Started', 'In Progress', 'Awaiting User']);

/** An end that the API must know of, too. A status that is new to us announces nothing. */
export const endStatuses = new Set([
  ...['Approved', 'Declined', 'In Review', 'Resubmitted'],
  ...['Expired', 'Abandoned', 'Not Finished', 'Kyc Expired'],
]);

export type WebhookResult =
  'settled' | 'over' | 'pending' | 'ignored' | 'unknown' | 'quarantined' | 'later' | 'refused';

/** What the log may know of a ring: nothing that leads to a person. */
export interface RingNote {
  reason?: WebhookRefusal | 'address' | 'event_id_reused' | 'one_signature_wrong';
  eventId?: string | undefined;
  diditSession?: string;
}

export interface WebhookTools {
  secrets: readonly { secret: string; untilMs: number }[];
  acceptPrefixedSignature: boolean;
  /** Addresses and ranges that may ring; none: anybody who has a signature. */
  addresses: readonly string[];
  /** Events of another application of the same account are not ours. */
  applicationId: string | undefined;
  diditSessions: DiditSessions;
  settle: Settle;
  countEnd: ReturnType<typeof createCountEnd>;
  reconcile: Pick<Reconcile, 'expect'>;
  clock: Clock;
  hash: Hash;
  alarm: RaiseAlarm;
  /** For metrics and the log: how it ended, and why it was refused. */
  counted(result: WebhookResult, note: RingNote): void;
}

export function createWebhook(tools: WebhookTools): Middleware {
  const reading = createShares(maximumReading, maximumReadingOfOne);
  const acting = createShares(maximumActing, maximumActing);
  const once = createCoalescer<WebhookResult>();
  const isAnother = createEventMemory();
  const mayRing = createAddressList(tools.addresses);
  return async function webhook(ctx, next) {
    if (ctx.path !== webhookPath) {
      await next();
      return;
    }
    ctx.state.route = webhookPath;
    if (ctx.method !== 'POST') throw new Problem('method_not_allowed');
    const body = await reading(ctx.ip, () => readBody(ctx));
    const rung = verify(tools, mayRing, ctx, body);
    const { event } = rung;
    const result = event
      ? await once(rung.contentHash, () => acting('', () => act(tools, event)))
      : 'ignored';
    const isReused = event?.event_id && isAnother(event.event_id, rung.contentHash);
    tools.counted(result, {
      ...rung.note,
      ...(event
        ? { eventId: event.event_id ?? undefined, diditSession: tools.hash(event.session_id) }
        : {}),
      ...(isReused ? { reason: 'event_id_reused' } : {}),
    });
    ctx.status = 200;
    ctx.body = { received: true };
  };
}

async function readBody(ctx: Context): Promise<Buffer> {
  if (ctx.get('content-encoding') !== '' || !ctx.is('application/json')) {
    throw new Problem('unsupported_media_type');
  }
  const { promise: tooSlow, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Problem('body_too_slow')), bodyTimeoutMs);
  try {
    const length = ctx.req.headers['content-length'] ?? null;
    return await Promise.race([rawBody(ctx.req, { limit: maximumBytes, length }), tooSlow]);
  } catch (cause) {
    // What is left of the body is not waited for.
    ctx.set('connection', 'close');
    if (cause instanceof Problem) throw cause;
    const tooLarge = (cause as { type?: string }).type === 'entity.too.large';
    throw new Problem(tooLarge ? 'body_too_large' : 'malformed', undefined, { cause });
  } finally {
    clearTimeout(timer);
  }
}

interface Rung {
  /** Undefined for a genuine event that is not about a Didit session's status. */
  event: DiditWebhookEvent | undefined;
  /** Of all that was signed but the time: a delivery that is repeated has the same. */
  contentHash: string;
  note: RingNote;
}

function verify(
  tools: WebhookTools,
  mayRing: (address: string) => boolean,
  ctx: Context,
  body: Buffer,
): Rung {
  const now = tools.clock();
  const verified = verifyWebhook({
    rawBody: body,
    headers: ctx.req.headersDistinct,
    secrets: tools.secrets.filter(({ untilMs }) => now < untilMs).map(({ secret }) => secret),
    acceptPrefixed: tools.acceptPrefixedSignature,
    now,
    toleranceSeconds,
  });
  // Judged after the signature, so that every refusal takes the same time and reads the same.
  const reason = verified.ok ? (mayRing(ctx.ip) ? undefined : 'address') : verified.reason;
  if (!verified.ok || reason !== undefined) {
    tools.counted('refused', reason === undefined ? {} : { reason });
    throw new Problem('webhook_refused', reason);
  }
  const event = diditWebhookEvent.safeParse(verified.body);
  const { timestamp: _, ...content } = verified.body;
  return {
    event: event.success && event.data.webhook_type === 'status.updated' ? event.data : undefined,
    contentHash: tools.hash(JSON.stringify(content)),
    note: verified.mismatched.length > 0 ? { reason: 'one_signature_wrong' } : {},
  };
}

async function act(tools: WebhookTools, event: DiditWebhookEvent): Promise<WebhookResult> {
  if (openStatuses.has(event.status ?? '')) return 'pending';
  const of = await tools.diditSessions.find(event.session_id);
  if (!of) return 'unknown';
  const { applicationId, alarm } = tools;
  if (applicationId && event.application_id !== applicationId) {
    alarm('webhook_differs', { id: of.attemptId });
    return 'quarantined';
  }
  try {
    const settled = await tools.settle(of, aboutOf(event));
    // Nothing comes of it any more but its bill, and for that Didit's word is enough.
    if (settled === 'over')
      await tools.countEnd(event.session_id, outcomeOf(event.status ?? undefined));
    return settled === 'over' || settled === 'pending' || settled === 'quarantined'
      ? settled
      : 'settled';
  } catch (error) {
    if (!(error instanceof DiditError)) throw error;
    // Didit rang and does not answer: we look again by ourselves.
    await tools.reconcile.expect(of);
    return 'later';
  }
}

function aboutOf(event: DiditWebhookEvent): Ring {
  return {
    status: event.status ?? undefined,
    announcesEnd: endStatuses.has(event.status ?? ''),
    diditSessionKind: event.session_kind ?? undefined,
    environment: event.environment ?? undefined,
    workflowId: event.workflow_id ?? undefined,
    workflowVersion: event.workflow_version ?? undefined,
    vendorData: event.vendor_data ?? undefined,
  };
}
