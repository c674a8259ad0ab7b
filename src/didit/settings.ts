/** What Didit's console says of the workflows and of where it rings. For `doctor`; no login depends on it. */
import { z } from 'zod';
import type { Clock } from '../domain/environment.ts';
import { DiditError } from './port.ts';
import { type DiditAnswer, createTransport } from './transport.ts';

export interface DiditWorkflow {
  id: string;
  version: number | undefined;
  /** In upper case. */
  features: ReadonlySet<string>;
  /** In upper case; undefined where Didit does not say. */
  livenessMethod: string | undefined;
}

export interface WebhookDestination {
  url: string;
  isEnabled: boolean;
  version: string | undefined;
  events: readonly string[];
  secret: string | undefined;
  /** The newest entry of Didit's delivery log. */
  last: LoggedDelivery | undefined;
}

export interface LoggedDelivery {
  /** As they were sent. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** What our side answered; undefined when Didit got no answer. */
  responseStatus: number | undefined;
}

const timeoutMs = 5_000;

// A feature is an object with a configuration; older answers have its name alone.
const feature = z.union([
  z.string().transform((name) => ({ feature: name, config: null })),
  z.object({
    feature: z.string(),
    config: z.object({ face_liveness_method: z.string().nullish() }).nullish().catch(null),
  }),
]);
const workflow = z.object({
  uuid: z.string().nullish(),
  workflow_id: z.string().nullish(),
  version: z.number().nullish(),
  features: z.array(feature).nullish(),
});
const destination = z.object({
  uuid: z.string(),
  url: z.string(),
  enabled: z.boolean().nullish(),
  webhook_version: z.string().nullish(),
  subscribed_events: z.array(z.string()).nullish(),
  secret_shared_key: z.string().nullish(),
});

/** Didit's own names, as in its delivery log, or plain ones. Headers are sometimes JSON text within the JSON. */
const headersOrText = z.preprocess(
  (value) => (typeof value === 'string' ? parseOrNothing(value) : value),
  z.record(z.string(), z.string()),
);
export const loggedDelivery = z
  .union([
    z.object({
      request_header: headersOrText,
      request_body: z.string(),
      response_status: z.number().nullish(),
    }),
    z.object({ headers: headersOrText, body: z.string() }).transform(({ headers, body }) => ({
      ...{ request_header: headers, request_body: body, response_status: null },
    })),
  ])
  .transform(
    ({ request_header: headers, request_body: body, response_status: status }): LoggedDelivery => ({
      ...{ headers, body, responseStatus: status ?? undefined },
    }),
  );
const deliveryEntry = z.object({ uuid: z.string() });

/** Every call throws DiditError. */
export function createDiditSettings(options: {
  apiBaseUrl: string;
  apiKey: string;
  fetch: typeof fetch;
  clock: Clock;
}) {
  const send = createTransport(options);
  const get = (path: string): Promise<DiditAnswer> =>
    send({ operation: 'settings', method: 'GET', path, timeoutMs });

  return {
    /** By how many milliseconds our clock is ahead of Didit's, to the second; undefined when Didit does not say. */
    async clockSkewMs(): Promise<number | undefined> {
      const before = options.clock();
      const { dateMs } = await get('/system/healthcheck');
      const between = (before + options.clock()) / 2;
      // The header has whole seconds, so its instant lies somewhere in the second after.
      return dateMs === undefined ? undefined : Math.round(between - dateMs - 500);
    },

    /** @param id the stable one that sessions are created with. */
    async findWorkflow(id: string): Promise<DiditWorkflow | undefined> {
      const all = read(await get('/v3/workflows/'), workflow);
      const found = all.find((one) => one.workflow_id === id || one.uuid === id);
      if (!found) return undefined;
      const features = found.features ?? [];
      const liveness = features.find(({ feature: name }) => name.toUpperCase() === 'LIVENESS');
      return {
        id,
        version: found.version ?? undefined,
        features: new Set(features.map(({ feature: name }) => name.toUpperCase())),
        livenessMethod: liveness?.config?.face_liveness_method?.toUpperCase(),
      };
    },

    /** @returns the destination with this address; the secret is asked for where the list leaves it out. */
    async findDestination(url: string): Promise<WebhookDestination | undefined> {
      const path = '/v3/webhook/destinations/';
      const listed = read(await get(path), destination).find((one) => one.url === url);
      if (!listed) return undefined;
      const own = `${path}${encodeURIComponent(listed.uuid)}/`;
      const { body } = await get(own);
      const found = destination.safeParse(body).data ?? listed;
      const [newest] = read(await get(`${own}deliveries/`), deliveryEntry);
      const delivery =
        newest && (await get(`${own}deliveries/${encodeURIComponent(newest.uuid)}/`)).body;
      return {
        url,
        isEnabled: found.enabled ?? true,
        version: found.webhook_version ?? undefined,
        events: found.subscribed_events ?? [],
        secret: found.secret_shared_key ?? undefined,
        last: loggedDelivery.safeParse(delivery).data,
      };
    },
  };
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lists come in pages, or bare; fifty of either is more than an application may have. */
function read<T>({ status, body }: DiditAnswer, item: z.ZodType<T>): T[] {
  const list = z.array(item);
  const parsed = z
    .union([list, z.object({ results: list }).transform((page) => page.results)])
    .safeParse(body);
  if (status === 200 && parsed.success) return parsed.data;
  throw new DiditError('schema_drift', `Didit answered ${status} with a list that cannot be read`);
}
