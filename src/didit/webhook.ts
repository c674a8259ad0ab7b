/**
 * `POST /webhooks/didit`: the doorbell.
 *
 * The bytes are verified as they came, before anything parses them. A valid ring makes us look at Didit's API;
 * it grants nothing by itself, and a ring that is repeated merely makes us look again. The answer is 2xx only
 * after what there was to save has been saved: Didit repeats itself only twice.
 */
import type { Context, Middleware } from 'koa';
import rawBody from 'raw-body';
import type { Clock } from '../domain/environment.ts';
import { Problem } from '../domain/problem.ts';
import { DiditError } from './port.ts';
import type { Reconcile } from './reconcile.ts';
import type { DiditSessions } from './sessions.ts';
import type { Settle } from './settle.ts';
import { verifyWebhook } from './signature.ts';
import { type DiditWebhookEvent, diditWebhookEvent } from './wire.ts';

export const webhookPath = '/webhooks/didit';

const maximumBytes = 512 * 1024;
const bodyTimeoutMs = 5_000;
const toleranceSeconds = 300;
/**
 * Bodies that are being read cost nothing to begin, and anybody may: one address gets a share of them, so that a
 * stranger who dribbles does not keep Didit out. What is acted upon has a valid signature.
 */
const maximumReading = 512;
const maximumReadingOfOne = 64;
const maximumActing = 64;

/** Didit's session is still open: there is nothing to read yet. */
const openStatuses = new Set(['Not Started', 'In Progress', 'Awaiting User', 'Resubmitted']);

export type WebhookResult =
  'settled' | 'over' | 'pending' | 'ignored' | 'unknown' | 'later' | 'refused';

export interface WebhookTools {
  secrets: readonly string[];
  /** Events of another application of the same account are not ours. */
  applicationId: string | undefined;
  diditSessions: DiditSessions;
  settle: Settle;
  reconcile: Pick<Reconcile, 'expect'>;
  clock: Clock;
  /** For metrics and the log: how it ended, and why it was refused. */
  counted(result: WebhookResult, reason?: string): void;
}

export function createWebhook(tools: WebhookTools): Middleware {
  const reading = createShares(maximumReading, maximumReadingOfOne);
  const acting = createShares(maximumActing, maximumActing);
  return async function webhook(ctx, next) {
    if (ctx.path !== webhookPath) {
      await next();
      return;
    }
    ctx.state.route = webhookPath;
    if (ctx.method !== 'POST') throw new Problem('method_not_allowed');
    const body = await reading(ctx.ip, () => readBody(ctx));
    const event = verify(tools, ctx, body);
    const result = event ? await acting('', () => act(tools, event)) : 'ignored';
    tools.counted(result);
    ctx.status = 200;
    ctx.body = { received: true };
  };
}

/** So many at once in all, and so many for one of those who share. The others are told to come again. */
function createShares(inAll: number, ofOne: number) {
  const underWay = new Map<string, number>();
  let all = 0;
  return async function share<T>(who: string, work: () => Promise<T>): Promise<T> {
    const mine = underWay.get(who) ?? 0;
    if (all >= inAll || mine >= ofOne) throw new Problem('unavailable', 'too many webhooks');
    all += 1;
    underWay.set(who, mine + 1);
    try {
      return await work();
    } finally {
      all -= 1;
      const left = (underWay.get(who) ?? 1) - 1;
      if (left === 0) underWay.delete(who);
      else underWay.set(who, left);
    }
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

/** @returns undefined for a genuine event that is not about a Didit session's status. */
function verify(tools: WebhookTools, ctx: Context, body: Buffer): DiditWebhookEvent | undefined {
  const verified = verifyWebhook({
    rawBody: body,
    headers: ctx.req.headersDistinct,
    secrets: tools.secrets,
    now: tools.clock(),
    toleranceSeconds,
  });
  if (!verified.ok) {
    tools.counted('refused', verified.reason);
    throw new Problem('webhook_refused', verified.reason);
  }
  const event = diditWebhookEvent.safeParse(verified.body);
  return event.success && event.data.webhook_type === 'status.updated' ? event.data : undefined;
}

async function act(tools: WebhookTools, event: DiditWebhookEvent): Promise<WebhookResult> {
  if (openStatuses.has(event.status ?? '')) return 'pending';
  const { applicationId } = tools;
  if (applicationId && event.application_id !== applicationId) return 'unknown';
  const of = await tools.diditSessions.find(event.session_id);
  if (!of) return 'unknown';
  try {
    const settled = await tools.settle(of);
    return settled === 'over' || settled === 'pending' ? settled : 'settled';
  } catch (error) {
    if (!(error instanceof DiditError)) throw error;
    // Didit rang and does not answer: we look again by ourselves.
    await tools.reconcile.expect(of);
    return 'later';
  }
}
