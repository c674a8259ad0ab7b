/** What the doctor says of one delivery, from a file or from Didit's log. */
import type { Config } from '../../config/schema.ts';
import { parseSecret } from '../../config/secrets.ts';
import { type Examined, examineDelivery } from '../../didit/delivery.ts';
import { type LoggedDelivery, loggedDelivery } from '../../didit/settings.ts';
import { type Finding, ok, problem, spanOf, warning } from './finding.ts';

const forms = {
  raw: 'X-Signature over the raw body',
  canonical: 'X-Signature-V2 over the canonical body',
  prefixed: 'X-Signature-V2 over the time and the canonical body',
} as const;
const positions = ['first', 'second', 'third', 'fourth'];
const name = 'delivery';

/** @throws when the text is no delivery; a deployment's own secrets must not be needed to see that. */
export function readDelivery(text: string): LoggedDelivery {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('the delivery is not JSON');
  }
  const parsed = loggedDelivery.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(
    'the delivery needs "headers" and "body", or "request_header" and "request_body" as in ' +
      "Didit's delivery log; the body is the text as it was sent, not JSON within the JSON",
  );
}

export function checkDelivery(
  { headers, body }: LoggedDelivery,
  didit: Pick<Config['didit'], 'webhookSecrets' | 'acceptPrefixedSignature' | 'environment'>,
  now: number,
): Finding[] {
  const secrets = didit.webhookSecrets.flatMap((text) => parseSecret(text) ?? []);
  const examined = examineDelivery({
    ...{ rawBody: Buffer.from(body), headers, now },
    secrets: secrets.map(({ secret }) => secret),
    acceptPrefixed: didit.acceptPrefixedSignature,
  });
  return [
    signatureFinding(examined, secrets, didit.acceptPrefixedSignature, now),
    ageFinding(examined),
    eventFinding(examined, didit.environment),
  ].filter((finding) => finding !== undefined);
}

function signatureFinding(
  { matches, unmatched, refusal }: Examined,
  secrets: readonly { untilMs: number }[],
  acceptPrefixed: boolean,
  now: number,
): Finding {
  const [best] = matches;
  if (!best) {
    const why = refusal === undefined ? '' : ` (${refusal})`;
    return problem(
      name,
      unmatched.length > 0
        ? `none of the secrets made ${unmatched.join(' or ')}${why}`
        : `it cannot be checked${why}`,
      "Copy the secret of the webhook destination from Didit's console once more, and see that no " +
        'proxy changes the body.',
    );
  }
  const made = matches.map(({ form }) => forms[form]).join(', and ');
  const which = `${positions[best.secretIndex] ?? `${best.secretIndex + 1}th`} secret`;
  const found = `${made}, by the ${which}`;
  if (matches.every(({ form }) => form === 'prefixed') && !acceptPrefixed) {
    return problem(name, found, 'Set DIDIT_ACCEPT_PREFIXED_SIGNATURE=true.');
  }
  if (now >= (secrets[best.secretIndex]?.untilMs ?? Infinity)) {
    return problem(name, `${found}, whose time is over`, 'Give Didit the new secret.');
  }
  if (unmatched.length > 0) {
    return warning(
      name,
      `${found}; ${unmatched.join(' and ')} does not fit`,
      'One full signature is enough. Tell Didit, and watch whether the other one starts failing.',
    );
  }
  return best.secretIndex === 0
    ? ok(name, found)
    : warning(name, found, 'Finish the rotation: Didit still signs with an old secret.');
}

function ageFinding({ ageSeconds, refusal }: Examined): Finding | undefined {
  if (ageSeconds === undefined) return undefined;
  const found = `signed ${spanOf(ageSeconds)} ${ageSeconds < 0 ? 'from now' : 'ago'}`;
  if (refusal === 'timestamp_stale') {
    return warning(
      'delivery time',
      `${found}: sent now, it would be refused as stale`,
      'That is as it should be for an old one. Of one that has just arrived it means that a clock is wrong.',
    );
  }
  return refusal?.startsWith('timestamp_')
    ? problem(
        'delivery time',
        `${found} (${refusal})`,
        'X-Timestamp must repeat what the body says.',
      )
    : ok('delivery time', found);
}

function eventFinding({ event }: Examined, expected: string): Finding {
  const about = 'delivery event';
  if (!event) {
    return problem(about, 'the body is no event of a session', 'Send status.updated, version 3.');
  }
  const { type, environment, announcesEnd } = event;
  if (type !== 'status.updated') {
    return warning(
      about,
      'not status.updated: it is not acted upon',
      'Subscribe to status.updated.',
    );
  }
  if (environment === undefined) {
    return warning(
      about,
      'it names no environment, as those of the test button do: it would not be acted upon',
      'Try again with the delivery of a real selfie.',
    );
  }
  if (environment !== expected) {
    return problem(
      about,
      `it is of the ${environment === 'live' ? 'live' : 'sandbox'} environment`,
      `DIDIT_ENVIRONMENT is ${expected}: use the destination and the key of that one.`,
    );
  }
  return ok(about, announcesEnd ? 'the end of a session' : 'a session that goes on');
}
