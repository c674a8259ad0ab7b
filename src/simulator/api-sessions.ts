/** Didit's calls about verification sessions. */
import type Router from '@koa/router';
import type { RouterContext } from '@koa/router';
import { z } from 'zod';
import { page, refuse, refuseUnknown } from './calls.ts';
import type { CallState, Guard } from './calls.ts';
import { createSession } from './create-session.ts';
import { decisionOf, hostedUrl } from './decision.ts';
import { append } from './journal.ts';
import type { Lifecycle } from './lifecycle.ts';
import { addressesOf } from './media.ts';
import type { SimulatorSettings } from './options.ts';
import { scenarios } from './outcomes.ts';
import { pdfOf } from './pdf.ts';
import { isOpen, isoTime } from './state.ts';
import type { DiditSession, State } from './state.ts';

export interface ApiParts {
  router: Router<CallState>;
  guard: Guard;
  settings: SimulatorSettings;
  state: State;
  lifecycle: Lifecycle;
  hostedOrigin: () => string;
}

const statusRequest = z.object({
  new_status: z.enum(['Approved', 'Declined', 'Resubmitted']),
  comment: z.string().default(''),
  nodes_to_resubmit: z
    .array(z.object({ node_id: z.string(), feature: z.string() }))
    .max(50)
    .default([]),
});
const reviewRequest = z.object({ new_status: z.string(), comment: z.string().default('') });
const deletionRequest = z.object({
  retain_face_embeddings: z.boolean().nullish(),
  deletion_instruction: z.enum(['operational_session_delete', 'privacy_erasure']).optional(),
});
const armRequest = z.object({ scenario: z.string() });

export function addSessionCalls(parts: ApiParts): void {
  const { router, guard, state, lifecycle, hostedOrigin } = parts;
  const find = (ctx: RouterContext<CallState>) => findSession(parts, ctx);

  router.post('/v3/session/', guard('create'), (ctx) => {
    const result = createSession(parts, ctx.state.body, ctx.state.environment);
    if (!result.ok) {
      refuse(ctx, 400, result.errors);
      return;
    }
    ctx.status = 201;
    ctx.body = createdBody(result.session, hostedOrigin());
  });

  router.get('/v3/session/:id/decision/', guard('decision'), (ctx) => {
    const session = find(ctx);
    if (session !== undefined) ctx.body = decisionFor(parts, ctx, session);
  });

  router.get('/v3/sessions/', guard('list'), (ctx) => {
    lifecycle.expireAllDue();
    const query = ctx.URL.searchParams;
    const asks = (name: string, value: string | null) =>
      query.get(name) === null || query.get(name) === value;
    const sessions = [...state.sessions.values()].filter(
      (session) =>
        session.environment === ctx.state.environment &&
        asks('vendor_data', session.vendorData) &&
        asks('status', session.status) &&
        asks('workflow_id', session.workflow.id),
    );
    ctx.body = page(ctx, sessions.reverse().map(summaryOf));
  });

  router.delete('/v3/session/:id/delete/', guard('delete'), (ctx) => {
    const session = find(ctx);
    if (session === undefined) return;
    const wishes = deletionRequest.safeParse(ctx.state.body);
    if (!wishes.success) {
      refuse(ctx, 400, { detail: 'The instruction is not one of those that there are.' });
      return;
    }
    state.sessions.delete(session.id);
    const { id, number, vendorData, outcome } = session;
    const isKept = wishes.data.retain_face_embeddings === true && outcome !== null;
    const template = isKept && vendorData !== null ? state.addTemplate(vendorData) : undefined;
    const ofTheFace = isKept ? 'ineligible_no_vendor_user' : outcome === null ? 'none' : 'deleted';
    ctx.body = {
      session_id: id,
      session_number: number,
      face_retention_outcome: template ? 'retained_with_user' : ofTheFace,
      biometric_template_uuid: template?.id ?? null,
    };
  });

  addReviewCalls(parts);

  router.get('/v3/session/:id/generate-pdf/', guard('generate_pdf'), (ctx) => {
    const session = find(ctx);
    if (session === undefined) return;
    if (isOpen(session) || session.status === 'Expired') {
      refuse(ctx, 403, { detail: 'The session has no result yet.' });
      return;
    }
    ctx.type = 'application/pdf';
    ctx.body = pdfOf(`Didit simulator: session ${session.id}, ${session.status}`);
  });

  router.post('/v3/session/:id/sandbox/arm/', guard('sandbox_arm'), (ctx) => {
    const session = find(ctx);
    if (session === undefined) return;
    const request = armRequest.safeParse(ctx.state.body);
    if (!request.success || !scenarios.has(request.data.scenario)) {
      refuse(ctx, 400, { scenario: ['Not a valid choice.'] });
    } else if (session.environment !== 'sandbox' || session.status !== 'Not Started') {
      refuse(ctx, 400, { detail: 'Only a sandbox session that is Not Started can be armed.' });
    } else {
      session.scenario = request.data.scenario;
      ctx.body = { session_id: session.id, scenario: session.scenario };
    }
  });

  router.get('/v1/sandbox/scenarios/', guard('sandbox_scenarios'), (ctx) => {
    const results = [...scenarios].map(([slug, outcome]) => ({
      slug,
      label: outcome.label,
      status: outcome.status,
    }));
    ctx.body = { results };
  });
}

function addReviewCalls(parts: ApiParts): void {
  const { router, guard, state, lifecycle } = parts;

  router.patch('/v3/session/:id/update-status/', guard('update_status'), (ctx) => {
    const session = findSession(parts, ctx);
    if (session === undefined) return;
    const request = statusRequest.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, { new_status: ['Not a valid choice.'] });
      return;
    }
    const { new_status: status, comment, nodes_to_resubmit: nodes } = request.data;
    const resubmit = { nodes_to_resubmit: nodes, reasons: {} };
    if (lifecycle.changeByApi(session, { status, comment, resubmit })) {
      ctx.body = { session_id: session.id };
    } else {
      refuse(ctx, 400, { detail: `The status cannot be changed from ${session.status}.` });
    }
  });

  router.get('/v3/sessions/:id/reviews/', guard('reviews'), (ctx) => {
    const session = findSession(parts, ctx);
    if (session !== undefined) ctx.body = session.reviews;
  });

  // A note for the file: unlike update-status it changes nothing.
  router.post('/v3/sessions/:id/reviews/', guard('reviews'), (ctx) => {
    const session = findSession(parts, ctx);
    if (session === undefined) return;
    const request = reviewRequest.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, { new_status: ['This field is required.'] });
      return;
    }
    const created_at = isoTime(state.now());
    const review = { user: 'API Client', ...request.data, created_at };
    append(session.reviews, review);
    ctx.status = 201;
    ctx.body = review;
  });
}

/** Unless it was said, pictures lie where the caller found the API: another name may not be reachable from there. */
export function decisionFor(
  { state, settings, hostedOrigin }: ApiParts,
  ctx: RouterContext<CallState>,
  session: DiditSession,
) {
  const origins = {
    hostedOrigin: hostedOrigin(),
    mediaOrigin: settings.mediaOrigin ?? ctx.URL.origin,
  };
  return decisionOf(session, addressesOf(session, state, origins));
}

/** Of the key's own environment only. Answers the call itself when there is none. */
export function findSession(
  { state, lifecycle }: ApiParts,
  ctx: RouterContext<CallState>,
): DiditSession | undefined {
  const session = state.sessions.get(ctx.params.id ?? '');
  if (session?.environment !== ctx.state.environment) {
    refuseUnknown(ctx);
    return undefined;
  }
  lifecycle.expireIfDue(session);
  return session;
}

function createdBody(session: DiditSession, hostedOrigin: string) {
  return {
    session_id: session.id,
    session_number: session.number,
    session_token: session.token,
    url: hostedUrl(session, hostedOrigin),
    vendor_data: session.vendorData,
    metadata: session.metadata,
    status: session.status,
    workflow_id: session.workflow.id,
    workflow_version: session.workflow.version,
    callback: session.callback,
  };
}

function summaryOf(session: DiditSession) {
  return {
    session_id: session.id,
    session_number: session.number,
    session_kind: 'user',
    status: session.status,
    workflow_id: session.workflow.id,
    vendor_data: session.vendorData,
    features: session.workflow.features,
    created_at: isoTime(session.createdAtMs),
  };
}
