/**
 * Between the selfie and the verdict. The page listens for a ring and then looks again; what it would see is in
 * the store, so a lost ring costs a second, not a login. Without JavaScript it refreshes itself.
 */
import { PassThrough } from 'node:stream';
import type { RouterContext } from '@koa/router';
import { type Attempt, standing } from '../domain/attempt.ts';
import { Problem } from '../domain/problem.ts';
import { type LoginTools, ownInteraction, pathOf } from './room.ts';

/** Longer than any attempt waits for its verdict; a page that still waits then asks anew. */
const streamForMs = 120_000;
const heartbeatMs = 15_000;

export function showWaiting(ctx: RouterContext, { show }: LoginTools, attempt: Attempt): void {
  const { interactionUid, client, request, reference } = attempt;
  const captured = attempt.phase === 'captured' ? attempt : undefined;
  const page = {
    page: 'waiting',
    client,
    selfieTakenAtMs: captured?.verdict?.decidedAtMs,
    returnedAtMs: captured?.returnedAtMs,
    links: { events: pathOf(interactionUid, 'events'), checkAgain: pathOf(interactionUid) },
    actions: { otherWay: pathOf(interactionUid, 'other-way') },
  } as const;
  show(ctx, 200, page, { uiLocales: request.uiLocales, reference });
}

export type OpenStreams = Set<PassThrough>;

/** Server-sent events: one message, "look again", then the end. */
export function createEvents(tools: LoginTools, streams: OpenStreams) {
  return async function events(ctx: RouterContext): Promise<void> {
    const uid = ownInteraction(ctx, tools.provider);
    const stream = new PassThrough();
    const watch = watchAttempt(tools, uid, () => stream.end('data: look again\n\n'));
    const heartbeat = setInterval(() => {
      if (!stream.writableEnded) stream.write(': still here\n\n');
    }, heartbeatMs);
    const timeUp = setTimeout(() => stream.end('retry: 1000\n\n'), streamForMs);
    streams.add(stream);
    stream.once('close', () => {
      clearInterval(heartbeat);
      clearTimeout(timeUp);
      streams.delete(stream);
      watch.stop();
    });
    ctx.res.once('close', () => stream.destroy());
    stream.write('retry: 1000\n\n');
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
function watchAttempt(tools: LoginTools, uid: string, changed: () => void) {
  let stopListening: (() => void) | undefined;
  let opening: NodeJS.Timeout | undefined;
  let stopped = false;

  async function look(): Promise<void> {
    const loaded = await tools.attempts.load(uid);
    if (!loaded) throw new Problem('interaction_over');
    const where = standing(loaded.attempt, tools.clock());
    if (where.at !== 'waiting' || !where.returned) {
      changed();
      return;
    }
    if (where.opensAtMs !== undefined && !stopped) {
      opening = setTimeout(changed, where.opensAtMs - tools.clock());
    }
  }

  return {
    async begin(): Promise<void> {
      stopListening = await tools.bell.listen(uid, () => void look().catch(changed));
      if (stopped) {
        stopListening();
        return;
      }
      await look();
    },
    stop(): void {
      stopped = true;
      clearTimeout(opening);
      stopListening?.();
    },
  };
}
