/**
 * Between the selfie and the verdict. The page listens for a ring and then looks again; what it would see is in
 * the store, so a lost ring costs a second, not a login. Without JavaScript it refreshes itself.
 *
 * A selfie that was handed off has two browsers that wait, the one that asked and the phone; each says which page it
 * shows, and hears of it when there is another.
 */
import { PassThrough } from 'node:stream';
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import { type Standing, standing } from '../domain/standing.ts';
import { Problem } from '../domain/problem.ts';
import { createAllowance } from '../web/allowance.ts';
import type { Page } from '../web/pages.ts';
import type { ForPage } from '../web/respond.ts';
import { type LoginTools, holdsInteraction, pathOf, shownFor } from './room.ts';

/** Longer than any attempt waits for its verdict; a page that still waits then asks anew. */
const streamForMs = 120_000;
const heartbeatMs = 15_000;
/** As a rule the webhook is there before the browser. Once it is this late, the decision is read without it. */
const lateAfterMs = 1_000;
/** A little longer than whoever looks is content with having been asked once. */
const askAgainMs = 12_000;

export async function showWaiting(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  onPhone?: OnPhone,
): Promise<void> {
  await expectLate(tools, attempt);
  const { interactionUid, client } = attempt;
  const captured = attempt.phase === 'captured' ? attempt : undefined;
  const hasReturned = captured?.returnedAtMs !== undefined;
  const page = {
    page: 'waiting',
    client,
    // Whoever only sent the link must not see that somebody followed it.
    selfieTakenAtMs: hasReturned ? captured.verdict?.decidedAtMs : undefined,
    returnedAtMs: captured?.returnedAtMs,
    links: { events: pathOf(interactionUid, 'events'), checkAgain: pathOf(interactionUid) },
    actions: {
      selfie: hasReturned ? undefined : pathOf(interactionUid, 'try-again'),
      otherWay: pathOf(interactionUid, 'other-way'),
    },
    ...onPhone?.page,
  } as const;
  tools.show(ctx, 200, page, onPhone ? onPhone.shown : shownFor(attempt));
}

/** The same page at the addresses of a phone. */
interface OnPhone {
  page: Pick<Extract<Page, { page: 'waiting' }>, 'links' | 'actions'>;
  shown: ForPage;
}

export async function expectLate(tools: LoginTools, attempt: Attempt): Promise<void> {
  if (lateInMs(attempt, tools.clock()) === 0) await tools.expectVerdict(attempt);
}

/** Which page somebody who waits is shown, as the page itself says when it asks for news. */
export function screenOf(attempt: Attempt, where: Standing): string {
  if (where.at === 'handed_off') return where.untilMs === undefined ? 'taken' : 'offered';
  const isHandedOff = attempt.phase === 'captured' && attempt.capture.handoff !== undefined;
  return where.at === 'waiting' && isHandedOff ? 'taken' : where.at;
}

/** In how long the webhook will be late; undefined when none is waited for. */
function lateInMs(attempt: Attempt, nowMs: number): number | undefined {
  if (attempt.phase !== 'captured' || attempt.verdict) return undefined;
  if (attempt.returnedAtMs === undefined) return undefined;
  return Math.max(0, attempt.returnedAtMs + lateAfterMs - nowMs);
}

/** By interaction and browser: each has one page that waits, and a second one takes the place of the first. */
export type OpenStreams = Map<string, PassThrough>;

/** Tells the browser to ask again, and after how long. */
const comeBack = 'retry: 1000\n\n';

/** A ring, the time limit and the end of the process may all come at once; the first one speaks. */
function endStream(stream: PassThrough, last: string): void {
  if (!stream.writableEnded) stream.end(last);
}

export function closeStreams(streams: OpenStreams): void {
  for (const stream of streams.values()) endStream(stream, comeBack);
}

export function createEvents(tools: LoginTools, streams: OpenStreams) {
  const open = createOpenStream(tools, streams);
  return async function events(ctx: RouterContext): Promise<void> {
    // Whose it is, or whether it exists, is nothing that a stranger could learn here.
    if (!holdsInteraction(ctx, tools.provider)) throw new Problem('not_found');
    const uid = String(ctx.params.uid);
    await open(ctx, uid, uid);
  };
}

/**
 * Server-sent events: one message, "look again", then the end.
 * @returns opens one for this browser, `name`, of which there is one of each.
 */
export function createOpenStream(tools: LoginTools, streams: OpenStreams) {
  const spend = createAllowance({ points: 5, seconds: 5 });
  return async function open(ctx: RouterContext, uid: string, name: string): Promise<void> {
    await spend(ctx, name);
    const stream = new PassThrough();
    const before = streams.get(name);
    if (before) endStream(before, comeBack);
    streams.set(name, stream);
    const { seen = 'waiting' } = ctx.query;
    const changed = (): void => endStream(stream, 'data: look again\n\n');
    const watch = watchAttempt(tools, uid, String(seen), changed);
    const heartbeat = setInterval(() => {
      if (!stream.writableEnded) stream.write(': still here\n\n');
    }, heartbeatMs);
    const timeUp = setTimeout(() => endStream(stream, comeBack), streamForMs);
    stream.once('close', () => {
      clearInterval(heartbeat);
      clearTimeout(timeUp);
      if (streams.get(name) === stream) streams.delete(name);
      watch.stop();
    });
    ctx.res.once('close', () => stream.destroy());
    stream.write(comeBack);
    try {
      await watch.begin();
    } catch (error) {
      stream.destroy();
      throw error;
    }
    ctx.status = 200;
    ctx.type = 'text/event-stream';
    // A proxy that buffers would hold the one message back.
    ctx.set({ 'x-accel-buffering': 'no', 'cache-control': 'no-store, no-transform' });
    ctx.body = stream;
  };
}

/** Listens first, then reads, then waits: what happens in between is not missed. */
function watchAttempt(tools: LoginTools, uid: string, seen: string, changed: () => void) {
  const stops: (() => void)[] = [];
  let timers: NodeJS.Timeout[] = [];
  let stopped = false;
  let mayKnow = false;

  function after(ms: number, act: () => void): void {
    timers.push(setTimeout(act, ms));
  }

  function clearTimers(): void {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  async function read() {
    const loaded = await tools.attempts.load(uid);
    if (!loaded) throw new Problem('interaction_over');
    const { attempt } = loaded;
    const nowMs = tools.clock();
    const where = standing(attempt, nowMs);
    mayKnow = where.at !== 'waiting' || where.returned;
    return { attempt, nowMs, where };
  }

  /** Whoever only sent the link must not hear either that somebody followed it: there is nothing new to see yet. */
  async function heard(): Promise<void> {
    if (seen !== 'waiting') return look();
    if (!mayKnow) await read();
    if (!stopped && mayKnow) changed();
  }

  async function look(): Promise<void> {
    const { attempt, nowMs, where } = await read();
    if (stopped) return;
    clearTimers();
    if (screenOf(attempt, where) !== seen) {
      changed();
      return;
    }
    const nextMs = 'untilMs' in where ? where.untilMs : 'opensAtMs' in where && where.opensAtMs;
    if (typeof nextMs === 'number') after(nextMs - nowMs, changed);
    const lateMs = lateInMs(attempt, nowMs);
    if (lateMs !== undefined) after(lateMs, () => expectVerdict(attempt));
  }

  /** Again and again, since a process that was about to look may die. */
  function expectVerdict(attempt: Attempt): void {
    // Should the store not answer, the page comes back and asks again.
    tools.expectVerdict(attempt).catch(changed);
    after(askAgainMs, () => expectVerdict(attempt));
  }

  function stop(): void {
    stopped = true;
    clearTimers();
    for (const one of stops.splice(0)) one();
  }

  return {
    async begin(): Promise<void> {
      // Should the store not answer, the page looks for itself.
      stops.push(await tools.bell.listen(uid, () => void heard().catch(changed)));
      // The browser may have gone meanwhile.
      if (stopped) stop();
      else await look();
    },
    stop,
  };
}
