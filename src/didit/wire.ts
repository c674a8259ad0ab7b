/**
 * Didit's messages as zod schemas: what we send, what we read. Unknown fields are dropped and unknown status
 * strings stay strings, so that an addition on Didit's side breaks nothing; a missing or mistyped field that a
 * login depends on is an error. Scores pass as they came: their scale is for the judge to insist on.
 */
import { z } from 'zod';
import { readCanonicalJson } from './canonical.ts';

/** A session's statuses, in Didit's exact spelling. */
export const diditSessionStatuses = [
  'Not Started',
  'In Progress',
  'Awaiting User',
  'In Review',
  'Approved',
  'Declined',
  'Resubmitted',
  'Expired',
  'Kyc Expired',
  'Abandoned',
] as const;
export type DiditSessionStatus = (typeof diditSessionStatuses)[number];

export type DiditFeatureStatus =
  'Not Finished' | 'Approved' | 'Declined' | 'In Review' | 'Resub Requested';

/** An object, or the JSON text of one as older integrations send it. Anything else says nothing. */
const metadata = z
  .unknown()
  .optional()
  .transform((value): Record<string, unknown> | null => {
    const json = typeof value === 'string' ? readCanonicalJson(value) : undefined;
    const candidate = json === undefined ? value : json.ok ? json.value : null;
    const isObject =
      typeof candidate === 'object' && candidate !== null && !Array.isArray(candidate);
    return isObject ? (candidate as Record<string, unknown>) : null;
  });

const text = z.string().nullish();

export const createDiditSessionRequest = z.object({
  workflow_id: z.string(),
  vendor_data: z.string().optional(),
  callback: z.string().optional(),
  callback_method: z.enum(['initiator', 'completer', 'both']).optional(),
  metadata: z.unknown().optional(),
  language: z.string().optional(),
  portrait_image: z.string().optional(),
  expected_details: z.looseObject({ ip_address: z.string().optional() }).optional(),
  sandbox_scenario: z.string().optional(),
  /** Not in Didit's specification, but on the page that this provider implements. */
  workflow_type: z.string().optional(),
});
export type CreateDiditSessionRequest = z.infer<typeof createDiditSessionRequest>;

export const createDiditSessionResponse = z
  .object({
    session_id: z.string().min(1),
    session_number: z.number().nullish(),
    session_token: text,
    url: z.string().optional(),
    session_url: z.string().optional(),
    status: z.string(),
    vendor_data: text,
    metadata,
    workflow_id: text,
    workflow_version: z.number().nullish(),
    callback: text,
  })
  .transform(({ url, session_url: fallback, ...rest }, context) => {
    const hostedUrl = url ?? fallback;
    if (hostedUrl !== undefined) return { ...rest, url: hostedUrl };
    context.addIssue({ code: 'custom', path: ['url'], message: 'Neither url nor session_url.' });
    return z.NEVER;
  });

const warning = z.object({ feature: text, risk: z.string(), log_type: text });

/** `null` and absent both mean that the feature did not run. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

const warnings = listOf(warning);

export const diditDecision = z.object({
  session_id: z.string().min(1),
  session_kind: text,
  status: z.string(),
  environment: text,
  workflow_id: text,
  workflow_version: z.number().nullish(),
  vendor_data: text,
  /** The session of another application that this one was taken over from (reusable KYC). */
  shared_from_session: text,
  metadata,
  callback: text,
  created_at: z.union([z.string(), z.number()]).nullish(),
  expires_at: z.union([z.string(), z.number()]).nullish(),
  /** Names, or with `include=events` objects that carry one. */
  features: listOf(
    z.union([z.string(), z.object({ feature: z.string() }).transform(({ feature }) => feature)]),
  ),
  reviews: listOf(z.object({ user: text, new_status: text, comment: text, created_at: text })),
  liveness_checks: listOf(
    z.object({
      status: z.string(),
      method: text,
      score: z.unknown().optional(),
      reference_image: text,
      warnings,
    }),
  ),
  face_matches: listOf(
    z.object({
      status: z.string(),
      score: z.unknown().optional(),
      source_image_session_id: text,
      warnings,
    }),
  ),
  ip_analyses: listOf(
    z.object({
      ip_address: text,
      ip_country_code: text,
      browser_family: text,
      os_family: text,
      platform: text,
      device_fingerprint: text,
      is_vpn_or_tor: z.boolean().nullish(),
      is_data_center: z.boolean().nullish(),
      warnings,
    }),
  ),
});
export type DiditDecision = z.infer<typeof diditDecision>;

/** The same with what was read from the document. A login has no use for any of it and does not read it. */
export const diditEnrolment = diditDecision.extend({
  id_verifications: listOf(
    z.object({
      status: z.string(),
      portrait_image: text,
      first_name: text,
      last_name: text,
      date_of_birth: text,
      issuing_state: text,
      document_type: text,
      document_number: text,
      warnings,
    }),
  ),
});
export type DiditEnrolment = z.infer<typeof diditEnrolment>;

export const importedDiditSession = z.object({ session_id: z.string().min(1) });

export const deletedUsers = z.object({ deleted: z.number().nullish() });

/** A face that Didit keeps as numbers after its session is gone. */
export const biometricTemplates = z.object({
  next: text,
  results: z.array(z.object({ uuid: z.string().min(1), vendor_data: text })),
});
export const purgedTemplate = z.object({ outcome: z.enum(['purged', 'already_purged']) });

/**
 * A webhook is a doorbell: it names a session to look at. Its `decision` is left out on purpose, since only the
 * one that is read from the API is ever judged. The console's test deliveries lack several of these fields.
 */
export const diditWebhookEvent = z.object({
  webhook_type: z.string(),
  session_id: z.string().min(1),
  status: text,
  timestamp: z.int(),
  event_id: text,
  application_id: text,
  environment: text,
  session_kind: text,
  workflow_id: text,
  workflow_version: z.number().nullish(),
  vendor_data: text,
  metadata,
});
export type DiditWebhookEvent = z.infer<typeof diditWebhookEvent>;

/** ISO 8601 text in API answers, whole seconds in webhooks → milliseconds. */
export function instantMs(instant: string | number | null | undefined): number | undefined {
  if (typeof instant === 'number') return instant * 1000;
  const ms = Date.parse(instant ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

export interface DiditErrorMessage {
  /** The request's field at fault, or `detail` for none in particular. */
  field: string;
  message: string;
}

/** Didit's 400 names fields with one text, fields with a list of texts, or only a `detail`. */
export function readErrorBody(body: unknown): DiditErrorMessage[] {
  const fields = z.record(z.string(), z.unknown()).safeParse(body);
  if (!fields.success) return [];
  return Object.entries(fields.data).flatMap(([field, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((message) => typeof message === 'string')
      .map((message) => ({ field, message })),
  );
}

/** What Didit's hosted page speaks. Any other code is answered with 400. */
export const diditLanguages: readonly string[] = (
  'en ar bg bn bs ca cnr cs da de el es et fa fi fr he hi hr hu hy id it ja ka kk ko ky lt lv mk mn ms ' +
  'nl no pl pt-BR pt ro ru sk sl so sq sr sv th tr uk uz vi zh-CN zh-TW zh'
).split(' ');

/** OpenID Connect's `ui_locales` (tags by preference) → the first that Didit speaks, exactly or by its base tag. */
export function diditLanguage(uiLocales: string | undefined): string | undefined {
  const find = (tag: string | undefined) =>
    diditLanguages.find((language) => language.toLowerCase() === tag?.toLowerCase());
  for (const tag of uiLocales?.split(/\s+/) ?? []) {
    const language = find(tag) ?? find(tag.split('-')[0]);
    if (language !== undefined) return language;
  }
  return undefined;
}
