/** Didit's calls about what its console manages: workflows and webhook destinations, and the health check. */
import { z } from 'zod';
import type { ApiParts } from './api-sessions.ts';
import { page, refuse, refuseUnknown } from './calls.ts';
import type { SimulatedWorkflow } from './options.ts';
import { isoTime } from './state.ts';
import type { Destination } from './state.ts';

/** Didit wants https and a public host; here a destination is usually on this machine. */
const destinationFields = {
  label: z.string().min(1).max(255),
  url: z.url({ protocol: /^https?$/ }),
  enabled: z.boolean(),
  webhook_version: z.enum(['v1', 'v2', 'v3']),
  subscribed_events: z.array(z.string()).min(1),
};
const newDestination = z.object({
  ...destinationFields,
  enabled: destinationFields.enabled.default(true),
  webhook_version: destinationFields.webhook_version.default('v3'),
  // An omitted list receives nothing; an empty one is refused.
  subscribed_events: destinationFields.subscribed_events.optional(),
});
const destinationChange = z.object(destinationFields).partial();

export function addConsoleCalls(parts: ApiParts): void {
  const { router, guard, settings, state } = parts;

  router.get('/system/healthcheck', guard('healthcheck', { isPublic: true }), (ctx) => {
    ctx.body = { status: 'ok', timestamp: isoTime(state.now()) };
  });

  router.get('/v3/workflows/', guard('workflows'), (ctx) => {
    ctx.body = page(ctx, settings.workflows.map(workflowBody));
  });

  router.get('/v3/workflows/:id/', guard('workflows'), (ctx) => {
    const workflow = settings.workflows.find(({ id }) => id === ctx.params.id);
    if (workflow === undefined) refuseUnknown(ctx);
    else ctx.body = workflowBody(workflow);
  });

  addDestinationCalls(parts);
}

function addDestinationCalls({ router, guard, state }: ApiParts): void {
  const root = '/v3/webhook/destinations/';
  const operation = guard('webhook_destinations');

  router.get(root, operation, (ctx) => {
    ctx.body = page(ctx, [...state.destinations.values()].map(destinationBody));
  });

  router.post(root, operation, (ctx) => {
    const request = newDestination.safeParse(ctx.state.body);
    if (!request.success) {
      refuse(ctx, 400, fieldErrors(request.error));
      return;
    }
    const { label, url, enabled, webhook_version: webhookVersion } = request.data;
    if ([...state.destinations.values()].some((other) => other.url === url)) {
      refuse(ctx, 400, { url: ['A destination with this URL already exists.'] });
      return;
    }
    const subscribedEvents = request.data.subscribed_events ?? [];
    const details = { label, url, enabled, webhookVersion, subscribedEvents };
    ctx.status = 201;
    ctx.body = destinationBody(state.addDestination(details, state.newSecret()));
  });

  router.get(`${root}:id/`, operation, (ctx) => {
    const destination = state.destinations.get(ctx.params.id ?? '');
    if (destination === undefined) refuseUnknown(ctx);
    else ctx.body = destinationBody(destination);
  });

  router.patch(`${root}:id/`, operation, (ctx) => {
    const destination = state.destinations.get(ctx.params.id ?? '');
    const change = destinationChange.safeParse(ctx.state.body);
    if (destination === undefined) {
      refuseUnknown(ctx);
    } else if (!change.success) {
      refuse(ctx, 400, fieldErrors(change.error));
    } else {
      const { webhook_version: version, subscribed_events: events, ...same } = change.data;
      Object.assign(destination, same);
      destination.webhookVersion = version ?? destination.webhookVersion;
      destination.subscribedEvents = events ?? destination.subscribedEvents;
      ctx.body = destinationBody(destination);
    }
  });

  router.delete(`${root}:id/`, operation, (ctx) => {
    if (state.destinations.delete(ctx.params.id ?? '')) ctx.status = 204;
    else refuseUnknown(ctx);
  });

  router.get(`${root}:id/deliveries/`, operation, (ctx) => {
    const destination = state.destinations.get(ctx.params.id ?? '');
    if (destination === undefined) refuseUnknown(ctx);
    else ctx.body = page(ctx, destination.deliveries.toReversed());
  });

  router.get(`${root}:id/deliveries/:delivery/`, operation, (ctx) => {
    const { deliveries } = state.destinations.get(ctx.params.id ?? '') ?? {};
    const delivery = deliveries?.find(({ uuid }) => uuid === ctx.params.delivery);
    if (delivery === undefined) refuseUnknown(ctx);
    else ctx.body = delivery;
  });
}

function destinationBody(destination: Destination) {
  const { id, label, url, enabled, webhookVersion, subscribedEvents, secret } = destination;
  return {
    uuid: id,
    label,
    url,
    enabled,
    webhook_version: webhookVersion,
    subscribed_events: subscribedEvents,
    secret_shared_key: secret,
  };
}

/** Configurations name the features in upper case and the liveness method in lower case. */
function workflowBody(workflow: SimulatedWorkflow) {
  return {
    uuid: workflow.id,
    workflow_id: workflow.id,
    workflow_label: workflow.label,
    version: workflow.version,
    status: 'published',
    session_expiration_time: workflow.ttlSeconds,
    features: workflow.features.map((feature) => ({
      feature: feature === 'ID_VERIFICATION' ? 'OCR' : feature,
      config:
        feature === 'LIVENESS'
          ? { face_liveness_method: workflow.livenessMethod.toLowerCase() }
          : {},
    })),
  };
}

function fieldErrors(error: z.ZodError): Record<string, string[]> {
  return Object.fromEntries(
    error.issues.map(({ path, message }) => [String(path[0] ?? 'detail'), [message]]),
  );
}
