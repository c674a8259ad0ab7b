/** The composition root's piece for the door: what a login needs, how somebody new comes in, and the phones of both. */
import type { Middleware } from 'koa';
import type { createDiditSide, openDidit } from './app-didit.ts';
import { type People, openToPeople } from './app-people.ts';
import type { AppOptions, Tools } from './app.ts';
import type { Attempt } from './domain/attempt.ts';
import { createDecoy } from './enrol/decoy.ts';
import { createHandoffCodes } from './login/handoff-codes.ts';
import { createHandoffRoutes } from './login/handoff-routes.ts';
import type { LoginTools } from './login/room.ts';
import { createLoginRoutes } from './login/routes.ts';
import type { OpenStreams } from './login/waiting.ts';
import type { OidcSide } from './oidc/side.ts';
import type { Metered } from './store/meter.ts';
import type { Records } from './store/records.ts';
import { keptSecret } from './store/secrets.ts';
import { createFormTokens } from './web/forms.ts';
import { placeOf } from './web/place.ts';

interface LoginParts extends Pick<
  LoginTools,
  'policies' | 'whereabouts' | 'spending' | 'show' | 'languageFor'
> {
  oidc: OidcSide;
  records: Records;
  api: ReturnType<typeof openDidit>['api'];
  didit: ReturnType<typeof createDiditSide>;
  people: People;
  cookieKeys: readonly string[];
}

export async function openLogin(
  options: AppOptions,
  tools: Tools,
  { oidc, records, api, didit, people, cookieKeys, ...shared }: LoginParts,
): Promise<{ routes: readonly Middleware[]; streams: OpenStreams }> {
  const { config } = options;
  const { provider, subjectFor } = oidc;
  const streams: OpenStreams = new Map();
  const secretFor = (use: string): Promise<string> => keptSecret(records.store, use, tools.random);
  const { passive: workflowId, active: activeWorkflowId, kyc } = config.didit.workflows;
  const settings = {
    ...{ ...config.didit, issuer: config.issuer },
    ...{ workflowId, activeWorkflowId, enrolmentWorkflowId: kyc },
  };
  const loginTools = {
    ...{ settings, provider, subjectFor, placeOf, ...tools, ...records, didit: api, ...shared },
    ...{ ...people.ways, mail: people.sendMail },
    decoy: await createDecoy(config.didit.decoyPortraitFile, await secretFor('decoy')),
    formTokens: createFormTokens(cookieKeys),
    handoffCodes: createHandoffCodes(await secretFor('handoff')),
    claimDiditSession(id: string, attempt: Attempt, cost: Metered) {
      const { interactionUid, id: attemptId } = attempt;
      const accountId = 'identity' in attempt ? attempt.identity.accountId : undefined;
      return didit.sessions.claim(id, { interactionUid, attemptId, cost }, accountId);
    },
    openReview: didit.openReview,
    expectVerdict: ({ interactionUid, id: attemptId }: Attempt) =>
      didit.reconcile.expect({ interactionUid, attemptId }),
  };
  const { enrolment, routes } = await openToPeople(options, loginTools, people, { oidc, records });
  const all = { ...loginTools, enrolment };
  return {
    routes: [createLoginRoutes(all, streams), createHandoffRoutes(all, streams), ...routes],
    streams,
  };
}
