/** One captured webhook, looked at by an operator: which formula signed it, and what the door would do with it. */
import { readCanonicalJson } from './canonical.ts';
import {
  type SignatureForm,
  type WebhookDelivery,
  type WebhookRefusal,
  verifyWebhook,
} from './signature.ts';
import { endStatuses, toleranceSeconds } from './webhook.ts';
import { diditWebhookEvent } from './wire.ts';

export interface Examined {
  /** Every signature that fits, whatever is accepted and however old it is. */
  matches: { form: SignatureForm; secretIndex: number }[];
  /** Of the headers that were sent and fit no secret. */
  unmatched: ('x-signature' | 'x-signature-v2')[];
  /** Why the door would refuse it now; undefined when it would not. */
  refusal: WebhookRefusal | undefined;
  /** Seconds that have passed since it was signed; negative when Didit's clock is ahead. */
  ageSeconds: number | undefined;
  /** Undefined when the body is no event of a session. */
  event: { environment: string | undefined; type: string; announcesEnd: boolean } | undefined;
}

/** @param delivery as the door would get it; `acceptPrefixed` says what is configured. */
export function examineDelivery(delivery: Omit<WebhookDelivery, 'toleranceSeconds'>): Examined {
  const { rawBody, headers, now } = delivery;
  const results = (['x-signature', 'x-signature-v2'] as const).flatMap((header) => {
    const other = header === 'x-signature' ? 'x-signature-v2' : 'x-signature';
    const own = Object.entries(headers).filter(([name]) => name.toLowerCase() !== other);
    if (!own.some(([name]) => name.toLowerCase() === header)) return [];
    const verified = verifyWebhook({
      ...delivery,
      headers: Object.fromEntries(own),
      acceptPrefixed: true,
      toleranceSeconds: Infinity,
    });
    return [{ header, verified }];
  });
  const verified = verifyWebhook({ ...delivery, toleranceSeconds });
  const json = readCanonicalJson(rawBody.toString('utf8'));
  const event = diditWebhookEvent.safeParse(json.ok ? json.value : undefined).data;
  return {
    matches: results.flatMap(({ verified: one }) =>
      one.ok ? [{ form: one.matched, secretIndex: one.secretIndex }] : [],
    ),
    unmatched: results.flatMap(({ header, verified: one }) => (one.ok ? [] : [header])),
    refusal: verified.ok ? undefined : verified.reason,
    ageSeconds: event && Math.round(now / 1000 - event.timestamp),
    event: event && {
      environment: event.environment ?? undefined,
      type: event.webhook_type,
      announcesEnd: endStatuses.has(event.status ?? ''),
    },
  };
}
