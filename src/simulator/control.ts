/** The simulator's own calls, below `/control`: misfortune, time, the log, and ends without a browser. */
import type Router from '@koa/router';
import type { RouterContext } from '@koa/router';
import getRawBody from 'raw-body';
import { z } from 'zod';
import { refuse, refuseUnknown } from './calls.ts';
import type { CallState } from './calls.ts';
import { faultsRequest } from './faults.ts';
import type { Faults } from './faults.ts';
import { sightingOf } from './hosted.ts';
import type { Journal } from './journal.ts';
import type { Lifecycle } from './lifecycle.ts';
import { outcomeNames, outcomesOf } from './outcomes.ts';
import { person } from './person.ts';
import type { State } from './state.ts';
import type { Webhooks } from './webhooks.ts';

interface ControlParts {
  router: Router<CallState>;
  state: State;
  lifecycle: Lifecycle;
  faults: Faults;
  journal: Journal;
  webhooks: Webhooks;
}

const bodyBytesMax = 64 * 1024;
const centurySeconds = 100 * 365 * 86_400;
const seconds = z.number().min(-centurySeconds).max(centurySeconds);
const clockRequest = z.union([
  z.strictObject({ offsetSeconds: seconds }),
  z.strictObject({ advanceSeconds: seconds }),
]);
const outcomeRequest = z.strictObject({
  outcome: z.enum(outcomeNames),
  /** The browser that the decision shall speak of; the caller itself when absent. */
  ipAddress: z.union([z.ipv4(), z.ipv6()]).optional(),
  userAgent: z.string().max(500).optional(),
  /** What the document says, where the workflow looks at one. */
  person: person.prefault({}),
});

export function addControl(parts: ControlParts): void {
  const { router, state, lifecycle, faults, journal, webhooks } = parts;

  router.post('/control/faults', async (ctx) => {
    const request = await readRequest(ctx, faultsRequest);
    if (request === undefined) return;
    faults.set(request);
    ctx.status = 204;
  });

  router.delete('/control/faults', (ctx) => {
    faults.clear();
    ctx.status = 204;
  });

  router.post('/control/clock', async (ctx) => {
    const request = await readRequest(ctx, clockRequest);
    if (request === undefined) return;
    if ('offsetSeconds' in request) state.setOffset(request.offsetSeconds * 1000);
    else state.advance(request.advanceSeconds * 1000);
    lifecycle.expireAllDue();
    ctx.body = { now: new Date(state.now()).toISOString() };
  });

  router.get('/control/log', (ctx) => {
    ctx.body = journal.read();
  });

  router.post('/control/webhooks/release', (ctx) => {
    ctx.body = { released: webhooks.release() };
  });

  router.post('/control/sessions/:id/outcome', async (ctx) => {
    const session = state.sessions.get(ctx.params.id ?? '');
    if (session === undefined) {
      refuseUnknown(ctx);
      return;
    }
    const request = await readRequest(ctx, outcomeRequest);
    if (request === undefined) return;
    if (!outcomesOf(session.workflow).includes(request.outcome)) {
      refuse(ctx, 400, { detail: 'This workflow has no such outcome.' });
      return;
    }
    const browserId = 'control';
    const { ipAddress, userAgent, ...caller } = sightingOf(ctx, browserId);
    const sighting = {
      ...caller,
      ipAddress: request.ipAddress ?? ipAddress,
      userAgent: request.userAgent ?? userAgent,
      person: request.person,
    };
    lifecycle.open(session, browserId);
    if (lifecycle.finish(session, request.outcome, browserId, sighting)) {
      ctx.body = { session_id: session.id, status: session.status };
    } else {
      refuse(ctx, 409, { detail: `The session is already ${session.status}.` });
    }
  });
}

/** Strict, so that a misspelt fault is a 400 and not a test that passes for no reason. */
async function readRequest<Schema extends z.ZodType>(
  ctx: RouterContext<CallState>,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  const text = await getRawBody(ctx.req, { limit: bodyBytesMax, encoding: 'utf8' });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    refuse(ctx, 400, { detail: 'The body must be JSON.' });
    return undefined;
  }
  const request = schema.safeParse(json);
  if (request.success) return request.data;
  refuse(ctx, 400, { detail: z.prettifyError(request.error) });
  return undefined;
}
