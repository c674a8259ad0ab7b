/** `POST /v3/session/`: what Didit refuses, in Didit's three shapes of a 400, and when it hands a session out again. */
import { readCanonicalJson } from '../didit/canonical.ts';
import { createDiditSessionRequest, diditLanguages } from '../didit/wire.ts';
import type { CreateDiditSessionRequest } from '../didit/wire.ts';
import type { Lifecycle, NewDiditSession } from './lifecycle.ts';
import type { DiditEnvironment, SimulatedWorkflow, SimulatorSettings } from './options.ts';
import { scenarios } from './outcomes.ts';
import { isOpen } from './state.ts';
import type { DiditSession, State } from './state.ts';

/** A list of texts for a field is a malformed request, a single text one that cannot be carried out. */
export type ErrorBody = Record<string, string | string[]>;

export type CreateResult = { ok: true; session: DiditSession } | { ok: false; errors: ErrorBody };

const portraitBytesMax = 2 * 1024 * 1024;
const metadataLengthMax = 16_000;

export function createSession(
  parts: { settings: SimulatorSettings; state: State; lifecycle: Lifecycle },
  body: unknown,
  environment: DiditEnvironment,
): CreateResult {
  const { settings, state, lifecycle } = parts;
  const malformed = checkShape(body, environment, settings.rejectsWorkflowType);
  if (!malformed.ok) return malformed;
  const { request } = malformed;
  const workflow = settings.workflows.find(({ id }) => id === request.workflow_id);
  if (workflow === undefined) return no({ workflow_id: 'Invalid workflow_id.' });
  const { vendor_data: vendorData = null, metadata = null, callback = null } = request;
  if (vendorData !== null && state.users.get(vendorData)?.status === 'BLOCKED') {
    return no({
      vendor_data: 'This user or business has been blocked and cannot start a session.',
    });
  }
  const faceless = checkReferenceFace(state, workflow, request, environment);
  if (faceless !== undefined) return no(faceless);

  const unfinished = findUnfinished(parts, vendorData, workflow, environment);
  if (unfinished !== undefined) {
    return { ok: true, session: Object.assign(unfinished, { callback, metadata }) };
  }
  const created: NewDiditSession = {
    environment,
    workflow,
    vendorData,
    metadata,
    callback,
    callbackMethod: request.callback_method ?? 'initiator',
    language: request.language ?? null,
    hasPortrait: request.portrait_image !== undefined && comparesWithPortrait(workflow),
    expectedIpAddress: request.expected_details?.ip_address ?? null,
    scenario: request.sandbox_scenario ?? null,
  };
  return { ok: true, session: lifecycle.create(created) };
}

function no(errors: ErrorBody): { ok: false; errors: ErrorBody } {
  return { ok: false, errors };
}

function checkShape(
  body: unknown,
  environment: DiditEnvironment,
  rejectsWorkflowType: boolean,
): { ok: true; request: CreateDiditSessionRequest } | { ok: false; errors: ErrorBody } {
  const parsed = createDiditSessionRequest.safeParse(body);
  if (!parsed.success) {
    const errors: Record<string, string[]> = {};
    for (const { path, message } of parsed.error.issues) {
      const [field = 'detail'] = path.map(String);
      const isMissing = typeof body === 'object' && body !== null && !Object.hasOwn(body, field);
      errors[field] = [isMissing ? 'This field is required.' : message];
    }
    return no(errors);
  }
  const request = parsed.data;
  const errors: Record<string, string[]> = {};
  if (rejectsWorkflowType && request.workflow_type !== undefined) {
    errors.workflow_type = ['Unexpected field.'];
  }
  if (request.callback !== undefined && !URL.canParse(request.callback)) {
    errors.callback = ['Enter a valid URL.'];
  }
  if (request.language !== undefined && !diditLanguages.includes(request.language)) {
    errors.language = [`"${request.language}" is not a valid choice.`];
  }
  if (!fitsWebhook(request.metadata)) errors.metadata = ['Too large or too deeply nested.'];
  const portraitFlaw = flawOfPortrait(request.portrait_image);
  if (portraitFlaw !== undefined) errors.portrait_image = [portraitFlaw];
  const scenario = request.sandbox_scenario;
  if (scenario !== undefined && environment === 'live') {
    errors.sandbox_scenario = ['Only available with a sandbox application.'];
  } else if (scenario !== undefined && !scenarios.has(scenario)) {
    errors.sandbox_scenario = [`"${scenario}" is not a valid choice.`];
  }
  return Object.keys(errors).length > 0 ? no(errors) : { ok: true, request };
}

/** Metadata stands twice in a webhook, which has to stay within the bounds of its reader. */
function fitsWebhook(metadata: unknown): boolean {
  const text = JSON.stringify({ decision: { metadata } });
  return text.length <= metadataLengthMax && readCanonicalJson(text).ok;
}

function flawOfPortrait(portrait: string | undefined): string | undefined {
  if (portrait === undefined) return undefined;
  if (portrait === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(portrait)) return 'Invalid base64.';
  const bytes = Buffer.from(portrait, 'base64');
  if (bytes.length > portraitBytesMax) return 'Image size exceeds 2MB.';
  const hex = bytes.subarray(0, 12).toString('hex');
  const isImage = /^(?:ffd8ff|89504e470d0a1a0a|49492a00|4d4d002a|52494646.{8}57454250)/.test(hex);
  return isImage ? undefined : 'Upload a valid image. JPEG, PNG, WebP and TIFF are supported.';
}

/** A workflow with a document takes its reference from there. */
function comparesWithPortrait({ features }: SimulatedWorkflow): boolean {
  return features.includes('FACE_MATCH') && !features.includes('ID_VERIFICATION');
}

function checkReferenceFace(
  state: State,
  workflow: SimulatedWorkflow,
  request: CreateDiditSessionRequest,
  environment: DiditEnvironment,
): ErrorBody | undefined {
  if (!comparesWithPortrait(workflow) || request.portrait_image !== undefined) return undefined;
  const { vendor_data: vendorData } = request;
  if (vendorData === undefined) {
    return { portrait_image: 'A portrait image is required to perform face match.' };
  }
  const hasStoredFace = [...state.sessions.values()].some(
    (session) =>
      session.vendorData === vendorData &&
      session.environment === environment &&
      session.status === 'Approved',
  );
  return hasStoredFace
    ? undefined
    : { portrait_image: 'No stored face image was found for this user. Provide a portrait image.' };
}

function findUnfinished(
  { state, lifecycle }: { state: State; lifecycle: Lifecycle },
  vendorData: string | null,
  workflow: SimulatedWorkflow,
  environment: DiditEnvironment,
): DiditSession | undefined {
  if (vendorData === null) return undefined;
  return [...state.sessions.values()].find((session) => {
    const isSame =
      session.vendorData === vendorData &&
      session.workflow.id === workflow.id &&
      session.environment === environment;
    if (isSame) lifecycle.expireIfDue(session);
    return isSame && isOpen(session);
  });
}
