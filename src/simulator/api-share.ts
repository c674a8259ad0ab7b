/**
 * Reusable KYC: one application gives a finished session to another. Didit wants two applications for it. This
 * simulator is both of them, so a token for its own application is the one that it can redeem.
 */
import { SignJWT, jwtVerify } from 'jose';
import { z } from 'zod';
import { type ApiParts, decisionFor, findSession } from './api-sessions.ts';
import { refuse } from './calls.ts';
import type { DiditSession, State } from './state.ts';

const shareRequest = z.object({
  for_application_id: z.string().min(1),
  ttl_in_seconds: z.int().min(60).max(86_400).default(3_600),
});
const importRequest = z.object({
  share_token: z.string().min(1),
  trust_review: z.boolean().default(false),
  workflow_id: z.string().min(1),
  vendor_data: z.string().min(1).optional(),
});
const shareable: readonly string[] = ['Approved', 'Declined', 'In Review'];

export function addShareCalls(parts: ApiParts): void {
  const { router, guard, settings, state, lifecycle } = parts;

  router.post('/v3/session/:id/share/', guard('share'), async (ctx) => {
    const session = findSession(parts, ctx);
    if (session === undefined) return;
    const request = shareRequest.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, { for_application_id: ['This field is required.'] });
    } else if (!shareable.includes(session.status)) {
      refuse(ctx, 400, { detail: 'Only a finished session can be shared.' });
    } else {
      const { for_application_id: audience, ttl_in_seconds: ttlSeconds } = request.data;
      ctx.body = {
        share_token: await tokenFor(session, audience, ttlSeconds, state),
        for_application_id: audience,
        session_kind: 'user',
      };
    }
  });

  router.post('/v3/session/import-shared/', guard('import_shared'), async (ctx) => {
    const request = importRequest.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, { share_token: ['This field is required.'] });
      return;
    }
    const { share_token: token, trust_review: isTrusted, workflow_id: id } = request.data;
    const workflow = settings.workflows.find((one) => one.id === id);
    const shared = await readToken(token, settings.applicationId, state);
    const source = state.sessions.get(shared?.sub ?? '');
    if (workflow === undefined) {
      refuse(ctx, 400, { workflow_id: 'Invalid workflow_id.' });
    } else if (source?.environment !== ctx.state.environment) {
      refuse(ctx, 400, { share_token: 'Invalid or expired share token.' });
    } else if (!state.redeem(shared?.jti ?? '')) {
      refuse(ctx, 403, { detail: 'This session has already been imported.' });
    } else {
      const vendorData = request.data.vendor_data ?? source.vendorData;
      const session = lifecycle.takeOver(source, { workflow, vendorData, isTrusted });
      ctx.status = 201;
      ctx.body = { ...decisionFor(parts, ctx, session), shared_from_session: source.id };
    }
  });
}

/** One for a session and a receiver, however often it is asked for. */
function tokenFor(
  { id }: DiditSession,
  audience: string,
  ttlSeconds: number,
  { now, shareKey }: State,
): Promise<string> {
  return new SignJWT({ session_kind: 'user' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(id)
    .setAudience(audience)
    .setJti(`${id}:${audience}`)
    .setExpirationTime(Math.floor(now() / 1000) + ttlSeconds)
    .sign(shareKey);
}

async function readToken(token: string, audience: string, { now, shareKey }: State) {
  const options = { audience, algorithms: ['HS256'], currentDate: new Date(now()) };
  return jwtVerify(token, shareKey, options).then(
    ({ payload }) => payload,
    () => undefined,
  );
}
