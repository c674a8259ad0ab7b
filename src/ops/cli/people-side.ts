/**
 * What the commands that let people in need besides: mails, links, the histories, and Didit. Mails are written down
 * for the running provider to send; what is told for the log goes to standard error, so that standard output stays
 * what it was asked for.
 */
import type { Config } from '../../config/schema.ts';
import type { Store } from '../../store/store.ts';
import type { createMailSide } from '../../app-mail.ts';
import type { PeopleOptions } from './people.ts';
import { openRecording, sha256 } from './recording.ts';

export async function withPeopleSide(
  { config: fileName }: PeopleOptions,
  work: (side: PeopleSide) => Promise<void>,
): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts');
  const { openStore } = await import('../../store/open.ts');
  const { config } = loadConfig({ fileName, env: process.env });
  const { store } = await openStore({ ...config.store, clock: Date.now });
  const closing: (() => Promise<unknown>)[] = [() => store.close()];
  try {
    await work(await createSide(config, store, (close) => closing.unshift(close)));
  } finally {
    for (const close of closing) await close();
  }
}

export type PeopleSide = Awaited<ReturnType<typeof createSide>>;

async function createSide(
  config: Config,
  store: Store,
  atEnd: (close: () => Promise<unknown>) => void,
) {
  const { randomKey } = await import('../../config/keys.ts');
  const { createErasureRequests } = await import('../../enrol/erasure-requests.ts');
  const { createWithdraw } = await import('../../didit/withdraw.ts');
  const { createRecords } = await import('../../store/records.ts');
  const { keptSecret } = await import('../../store/secrets.ts');
  const { createLog, recordTo } = await import('../../web/telemetry.ts');
  const log = createLog('info', { write: (line) => void process.stderr.write(line) });
  const { audit, record } = await openRecording(config, { store, log, told: recordTo(log) });
  atEnd(() => audit.close());
  const tools = {
    ...{ clock: Date.now, random: randomKey, hash: sha256, record },
    alarm: (reason: string): void => log.warn('operator.alarm', { reason }),
  };
  const { limits, issuer, people, reviews } = config;
  const records = createRecords(store, { ...tools, limits, isUsual: () => true });
  const { accounts, clock } = { ...records, ...tools };
  const erasure = createErasureRequests({ store, accounts, clock });
  const mail = await openMail(config, { ...tools, store, log });
  return {
    ...{ ...records, ...tools, config, issuer, erasure },
    recoveryHoldSeconds: people.recoveryHoldSeconds,
    ...{ mail, twoPeople: reviews.twoPeople },
    withdraw: createWithdraw({ ...records, ...tools, mail }),
    eraseReplaced: erasure.eraseReplaced,
    otherWays: { records: records.factorRecords },
    identitySecret: await keptSecret(store, 'identity', randomKey),
    /** @throws unless a document can be checked. */
    async openDidit() {
      const workflowId = requireWorkflow(config);
      const { openDidit } = await import('../../app-didit.ts');
      const { enrolmentLivenessMethods } = await import('../../domain/enrolment.ts');
      const { didit } = config;
      const { api, close } = openDidit(didit, log, { ...tools, fetch: globalThis.fetch });
      atEnd(close);
      const { environment, minimumLivenessScore, allowFlashing } = didit;
      return {
        didit: api,
        settings: { faceReference: didit.faceReference },
        expected: {
          ...{ environment, workflowId, minimumLivenessScore },
          minimumFaceMatchScore: didit.minimumDocumentMatchScore,
          livenessMethods: enrolmentLivenessMethods(allowFlashing),
        },
      };
    },
  };
}

/** Undefined where nobody can be written to. */
async function openMail(
  config: Config,
  tools: Omit<Parameters<typeof createMailSide>[1], 'write'>,
) {
  const { createMailSide } = await import('../../app-mail.ts');
  const { createFace } = await import('../../web/face.ts');
  const write = createFace(config, tools.clock).writeMail;
  return createMailSide(config, { ...tools, write })?.send;
}

/** @throws where nobody can enrol. */
export function requireWorkflow({ didit }: Config): string {
  const { kyc } = didit.workflows;
  if (kyc === undefined) {
    throw new Error('nobody can enrol: didit.workflows.kyc (DIDIT_WORKFLOW_KYC) is not set');
  }
  return kyc;
}
