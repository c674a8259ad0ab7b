/** The composition root's piece for operators: what operators do, out of the app's parts, and where they do it. */
import type { RequestListener } from 'node:http';
import { isForConsole, openConsole } from './app-console.ts';
import type { openDidit } from './app-didit.ts';
import type { AppOptions, Tools } from './app.ts';
import { consoleOrigin } from './config/addresses.ts';
import type { Policies } from './config/policies.ts';
import { createWithdraw } from './didit/withdraw.ts';
import { enrolmentLivenessMethods } from './domain/enrolment.ts';
import type { SendMail } from './domain/message.ts';
import type { ErasureRequests } from './enrol/erasure-requests.ts';
import type { ReviewTools } from './enrol/review.ts';
import { addedClients, createClientRegistry } from './oidc/client-registry.ts';
import type { Clients } from './oidc/clients.ts';
import type { OidcSide } from './oidc/side.ts';
import { acts } from './ops/acts/index.ts';
import { type Perform, createPerform } from './ops/acts/perform.ts';
import type { ActTools } from './ops/acts/tools.ts';
import { nothingElse } from './ops/health.ts';
import { createKeys } from './ops/keys/rotate.ts';
import { tryDiditKey } from './ops/keys/try-didit-key.ts';
import { createApi, isForApi } from './ops/api/api.ts';
import type { Audit } from './store/audit.ts';
import type { Records } from './store/records.ts';
import { keptSecret } from './store/secrets.ts';
import type { Tally } from './store/tally.ts';

export interface OperationsParts {
  oidc: OidcSide;
  records: Records;
  policies: Policies;
  clients: Clients;
  audit: Audit;
  tally: Tally;
  spending: ActTools['spending'];
  didit: ReturnType<typeof openDidit>['api'];
  mail: SendMail | undefined;
  erasure: ActTools['erasure'] & Pick<ErasureRequests, 'eraseReplaced'>;
}

export interface Operations {
  perform: Perform;
  /** What the management listener answers besides health and metrics. */
  operate: RequestListener;
}

export async function createOperations(
  options: AppOptions,
  tools: Tools,
  parts: OperationsParts,
): Promise<Operations> {
  const { config, log } = options;
  const { records, oidc, mail, clients, audit, tally } = parts;
  const { store } = records;
  const { issuer, didit, registration } = config;
  const actTools: ActTools = {
    ...{ ...tools, ...records, issuer, mail, audit, tally },
    environment: didit.environment,
    flushAudit: () => audit.flush(),
    canInvite: registration !== 'off' && didit.workflows.kyc !== undefined && mail !== undefined,
    reviewTools: await createReviewTools(options, tools, parts),
    ...{ consoleUrl: didit.consoleUrl, spending: parts.spending },
    keys: options.readFrom && createKeys({ ...tools, ...options.readFrom, store, tryDiditKey }),
    consoleOrigin: consoleOrigin(config.management),
    canEnrol: didit.workflows.kyc !== undefined && mail !== undefined,
    ...{ signIns: oidc.signIns, erasure: parts.erasure, policies: parts.policies },
    erasureDelaySeconds: config.people.erasureDelaySeconds,
    recoveryHoldSeconds: config.people.recoveryHoldSeconds,
    clients: createClientRegistry({
      ...{ ...tools, store, provider: oidc.provider, whyNotCalled: oidc.whyNotCalled },
      staticClients: clients.clients,
      hasPolicy: (name) => parts.policies.named(name) !== undefined,
    }),
  };
  await requirePolicies(parts);
  const perform = createPerform(actTools);
  const api = createApi({ ...tools, ...actTools, acts, perform, store, log });
  const console = await openConsole(options, tools, { records, oidc, perform });
  return {
    perform,
    operate(req, res) {
      const [path = ''] = (req.url ?? '').split('?', 1);
      if (isForApi(path)) api(req, res);
      else if (console && isForConsole(path, req.headers.accept)) console(req, res);
      else nothingElse(req, res);
    },
  };
}

/** Like a mistake in the clients file: an operator wants to hear of it at start. */
async function requirePolicies({ records, policies }: OperationsParts): Promise<void> {
  for await (const { id, metadata } of addedClients(records.store)) {
    const { policy } = metadata;
    if (policy !== undefined && !policies.named(policy)) {
      throw new Error(`client "${id}": there is no policy "${policy}" here`);
    }
  }
}

async function createReviewTools(
  { config }: AppOptions,
  tools: Tools,
  { records, didit: api, mail, erasure }: OperationsParts,
): Promise<ReviewTools> {
  const { didit, issuer, reviews } = config;
  return {
    ...{ ...tools, ...records, issuer, mail },
    twoPeople: reviews.twoPeople,
    withdraw: createWithdraw({ ...records, ...tools, mail }),
    eraseReplaced: (id, face) => erasure.eraseReplaced(id, face),
    otherWays: { records: records.factorRecords },
    identitySecret: await keptSecret(records.store, 'identity', tools.random),
    openDidit() {
      const { kyc: workflowId } = didit.workflows;
      if (workflowId === undefined) return Promise.reject(new Error('nobody can enrol here'));
      const { environment, minimumLivenessScore, faceReference } = didit;
      return Promise.resolve({
        didit: api,
        settings: { faceReference },
        expected: {
          ...{ environment, workflowId, minimumLivenessScore },
          minimumFaceMatchScore: didit.minimumDocumentMatchScore,
          livenessMethods: enrolmentLivenessMethods(didit.allowFlashing),
        },
      });
    },
  };
}
