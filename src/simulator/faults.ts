/**
 * Misfortune on demand. A fault waits here until the call or the webhook that it is meant for comes by; the
 * two that meet it (calls.ts, webhooks.ts) know what to do with it.
 */
import { z } from 'zod';

const times = z.int().min(1).max(10_000);
const delayMs = z.int().min(0).max(600_000);

export const operations = [
  'create',
  'list',
  'decision',
  'delete',
  'update_status',
  'reviews',
  'generate_pdf',
  'sandbox_arm',
  'sandbox_scenarios',
  'workflows',
  'webhook_destinations',
  'users',
  'templates',
  'share',
  'import_shared',
  'media',
  'healthcheck',
] as const;
export type Operation = (typeof operations)[number];

const apiFault = z.strictObject({
  operation: z.enum(operations),
  mode: z.union([
    z.literal([429, 500, 502, 503]),
    z.enum(['slow', 'truncate', 'reset', 'malformed', 'redirect', 'other_session']),
  ]),
  times: times.default(1),
  /** How long `slow` takes. */
  delayMs: delayMs.default(8_000),
});
export type ApiFault = z.infer<typeof apiFault>;

const webhookMode = z.enum(['drop', 'delay', 'duplicate', 'reorder', 'forge', 'stale', 'withhold']);
const webhookFault = z.strictObject({
  mode: webhookMode,
  /** Until the faults are deleted when absent. */
  times: times.optional(),
  delayMs: delayMs.default(5_000),
  /** Only webhooks that announce one of these session statuses; all when absent. */
  statuses: z.array(z.string()).min(1).optional(),
});
export type WebhookFault = z.infer<typeof webhookFault>;

export const faultsRequest = z.strictObject({
  webhooks: z
    .union([webhookMode.transform((mode) => webhookFault.parse({ mode })), webhookFault])
    .optional(),
  api: z.union([apiFault.transform((fault) => [fault]), z.array(apiFault).max(100)]).optional(),
});

export type Faults = ReturnType<typeof createFaults>;

export function createFaults() {
  let api: ApiFault[] = [];
  let webhook: WebhookFault | undefined;
  return {
    /** Faults of calls add up and are used in order; there is one for webhooks, and the last one said counts. */
    set(request: z.infer<typeof faultsRequest>) {
      api = [...api, ...(request.api ?? [])].slice(-100);
      webhook = request.webhooks ?? webhook;
    },
    clear() {
      api = [];
      webhook = undefined;
    },
    takeForCall(operation: Operation): ApiFault | undefined {
      const fault = api.find((one) => one.operation === operation);
      if (fault !== undefined && --fault.times === 0) api = api.filter((one) => one !== fault);
      return fault;
    },
    takeForWebhook(status: string): WebhookFault | undefined {
      const fault = webhook;
      if (fault === undefined || fault.statuses?.includes(status) === false) return undefined;
      if (fault.times !== undefined && --fault.times === 0) webhook = undefined;
      return fault;
    },
  };
}
