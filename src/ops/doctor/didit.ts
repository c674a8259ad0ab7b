/** What the doctor asks Didit: is it there, what time is it, can the workflows do what is asked of them, does it ring? */
import type { Config } from '../../config/schema.ts';
import { parseSecret } from '../../config/secrets.ts';
import { DiditError } from '../../didit/port.ts';
import { type WebhookDestination, createDiditSettings } from '../../didit/settings.ts';
import { webhookPath } from '../../didit/webhook.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { checkDelivery } from './delivery.ts';
import { loginWorkflow, enrolmentWorkflow } from './workflows.ts';
import { type Finding, ok, problem, reasonOf, spanOf, warning } from './finding.ts';

const clockWarningSeconds = 30;
/** Webhooks count for 300 seconds; a login also has to be younger than a minute or two. */
const clockProblemSeconds = 120;

export async function checkDidit(
  config: Config,
  { fetch, clock }: { fetch: typeof globalThis.fetch; clock: () => number },
): Promise<Finding[]> {
  const { didit, issuer } = config;
  const { active, kyc } = didit.workflows;
  const settings = createDiditSettings({ ...didit, fetch, clock });
  const look = async (name: string, work: () => Promise<Finding[]>): Promise<Finding[]> => {
    try {
      return await work();
    } catch (error) {
      return [explain(name, error)];
    }
  };
  const all = await Promise.all([
    look('clock', async () => [clockFinding(await settings.clockSkewMs())]),
    look('workflow', async () =>
      loginWorkflow(await settings.findWorkflow(didit.workflows.passive)),
    ),
    ...(active === undefined
      ? []
      : [
          look('active workflow', async () =>
            loginWorkflow(await settings.findWorkflow(active), 'ACTIVE_3D'),
          ),
        ]),
    ...(kyc === undefined
      ? []
      : [
          look('enrolment', async () =>
            enrolmentWorkflow(await settings.findWorkflow(kyc), didit.allowFlashing),
          ),
        ]),
    look('webhook', async () => {
      const destination = await settings.findDestination(issuer + webhookPath);
      return destination
        ? destinationFindings(destination, didit, clock())
        : [noDestination(issuer)];
    }),
  ]);
  return all.flat();
}

function explain(name: string, error: unknown): Finding {
  if (error instanceof DiditError && error.failure === 'refused') {
    return problem(name, 'Didit does not accept the key', 'Set DIDIT_API_KEY anew.');
  }
  return problem(
    name,
    `Didit cannot be asked: ${reasonOf(error)}`,
    'Look at DIDIT_API_BASE_URL and the way out of this network.',
  );
}

function clockFinding(skewMs: number | undefined): Finding {
  const advice = 'Let this machine keep time (NTP).';
  if (skewMs === undefined) return warning('clock', 'Didit does not say what time it is', advice);
  const seconds = Math.abs(skewMs) / 1000;
  if (seconds <= 1) return ok('clock', "agrees with Didit's");
  const found = `${spanOf(Math.round(seconds))} ${skewMs > 0 ? 'ahead of' : 'behind'} Didit's`;
  if (seconds > clockProblemSeconds) return problem('clock', found, advice);
  return seconds > clockWarningSeconds ? warning('clock', found, advice) : ok('clock', found);
}

function noDestination(issuer: string): Finding {
  return warning(
    'webhook',
    `Didit has no destination ${issuer}${webhookPath}`,
    "Add it in Didit's console, with status.updated. Without it each login waits until the decision is looked for.",
  );
}

function destinationFindings(
  { isEnabled, version, events, secret, last }: WebhookDestination,
  didit: Config['didit'],
  now: number,
): Finding[] {
  const name = 'webhook';
  if (!isEnabled) return [warning(name, 'the destination is switched off', 'Enable it at Didit.')];
  if (!events.includes('status.updated')) {
    return [warning(name, 'the destination is not subscribed to status.updated', 'Subscribe it.')];
  }
  const ofSecret = secretFinding(secret, didit.webhookSecrets, now);
  if (ofSecret?.state === 'problem') return [ofSecret];
  const warnings = [versionFinding(version), ofSecret].filter((finding) => finding !== undefined);
  return [
    ...(warnings.length > 0
      ? warnings
      : [ok(name, 'the destination is there, and has our secret')]),
    ...(last ? lastRing(last.responseStatus) : []),
    ...(last ? checkDelivery(last, didit, now) : []),
  ];
}

function versionFinding(version: string | undefined): Finding | undefined {
  if (version === 'v3') return undefined;
  const found = `the destination sends version ${version ?? 'unknown'}`;
  return warning('webhook', found, 'Choose version 3.');
}

/** What the door would say of a ring by it. @returns undefined when it counts, and has no end. */
function secretFinding(
  secret: string | undefined,
  ours: readonly string[],
  now: number,
): Finding | undefined {
  if (secret === undefined) return undefined;
  const ends = ours.flatMap((text) => {
    const own = parseSecret(text);
    return own?.secret === secret ? [own.untilMs] : [];
  });
  if (ends.length === 0) {
    return problem(
      'webhook',
      'the secret at Didit is none of ours: every ring is refused',
      "Put the destination's secret into DIDIT_WEBHOOK_SECRETS.",
    );
  }
  const untilMs = Math.max(...ends);
  if (untilMs <= now) {
    return problem(
      'webhook',
      `the secret at Didit is over here since ${isoTime(untilMs)}: every ring is refused`,
      'Let Didit sign with the new one, or take the end of this one out of DIDIT_WEBHOOK_SECRETS.',
    );
  }
  if (untilMs === Infinity) return undefined;
  return warning(
    'webhook',
    `the secret at Didit counts until ${isoTime(untilMs)}, then every ring is refused`,
    'Finish the rotation: let Didit sign with the new one.',
  );
}

function lastRing(status: number | undefined): Finding[] {
  const name = 'last ring';
  if (status !== undefined && status < 300) return [ok(name, `was answered with ${status}`)];
  const found = status === undefined ? 'got no answer' : `was answered with ${status}`;
  return [
    problem(
      name,
      found,
      `See that ${webhookPath} can be reached from outside, under the issuer's own host.`,
    ),
  ];
}
