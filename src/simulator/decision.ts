/** A session's decision in Didit's words (version 3: lists of features, scores from 0 to 100). */
import type { Addresses } from './media.ts';
import { isoTime } from './state.ts';
import type { DiditSession } from './state.ts';
import type { Outcome } from './outcomes.ts';
import { parseUserAgent } from './user-agent.ts';

type FeatureResult = Outcome['liveness'];

export function decisionOf(session: DiditSession, addresses: Addresses) {
  const { outcome, workflow } = session;
  const runs = (feature: (typeof workflow.features)[number]) =>
    outcome !== null && workflow.features.includes(feature);
  return {
    session_id: session.id,
    session_kind: 'user',
    session_number: session.number,
    session_url: hostedUrl(session, addresses.hostedOrigin),
    status: session.status,
    environment: session.environment,
    workflow_id: workflow.id,
    features: workflow.features,
    vendor_data: session.vendorData,
    metadata: session.metadata,
    expected_details:
      session.expectedIpAddress === null ? null : { ip_address: session.expectedIpAddress },
    contact_details: null,
    callback: session.callback,
    created_at: isoTime(session.createdAtMs),
    expires_at: isoTime(session.expiresAtMs),
    reviews: session.reviews,
    id_verifications: runs('ID_VERIFICATION')
      ? [idVerification(session, outcome, addresses)]
      : null,
    nfc_verifications: null,
    liveness_checks: runs('LIVENESS') ? [livenessCheck(session, outcome, addresses)] : null,
    face_matches:
      runs('FACE_MATCH') && outcome?.faceMatch ? [faceMatch(session, outcome.faceMatch)] : null,
    phone_verifications: null,
    email_verifications: null,
    poa_verifications: null,
    document_ai_documents: null,
    questionnaire_responses: null,
    aml_screenings: null,
    ip_analyses: runs('IP_ANALYSIS') ? ipAnalyses(session, outcome) : null,
    database_validations: null,
  };
}

export function hostedUrl(session: DiditSession, hostedOrigin: string): string {
  const language = session.language === null ? '' : `/${session.language}`;
  return `${hostedOrigin}${language}/session/${session.token}`;
}

function livenessCheck(session: DiditSession, outcome: Outcome | null, at: Addresses) {
  const result = outcome?.liveness;
  return {
    node_id: 'feature_liveness',
    status: result?.status ?? 'Not Finished',
    method: session.workflow.livenessMethod,
    score: result?.score ?? null,
    reference_image: result?.status === 'Approved' ? at.linkTo('reference') : null,
    video_url: null,
    age_estimation: null,
    matches: [],
    warnings: warningsOf('LIVENESS', 'feature_liveness', result),
  };
}

function faceMatch(session: DiditSession, result: FeatureResult) {
  return {
    node_id: 'feature_face_match',
    status: result.status,
    score: result.score,
    // A portrait that came with the session is filed under it. Null says that none did.
    source_image_session_id: session.hasPortrait ? session.id : null,
    source_image: null,
    target_image: null,
    warnings: warningsOf('FACEMATCH', 'feature_face_match', result),
  };
}

function idVerification(
  { person, createdAtMs }: DiditSession,
  outcome: Outcome | null,
  at: Addresses,
) {
  const isUnfinished = outcome === null || outcome.liveness.status === 'Not Finished';
  const status = isUnfinished ? 'Not Finished' : (outcome.document?.status ?? 'Approved');
  const node = { node_id: 'feature_ocr', status, verification_method: 'document' };
  const warnings = warningsOf('ID_VERIFICATION', 'feature_ocr', outcome?.document);
  if (isUnfinished) return { ...node, portrait_image: null, warnings, matches: [] };
  const { firstName, lastName } = person;
  const isExpired = outcome.document?.warning?.risk === 'DOCUMENT_EXPIRED';
  const expiresAtMs = createdAtMs + (isExpired ? -1 : 5 * 365) * 86_400_000;
  return {
    ...node,
    assurance: 'documentary',
    portrait_image: at.linkTo('document'),
    front_image: null,
    back_image: null,
    document_type: person.documentType,
    document_number: person.documentNumber,
    personal_number: null,
    date_of_birth: person.dateOfBirth,
    expiration_date: isoTime(expiresAtMs).slice(0, 10),
    date_of_issue: null,
    issuing_state: person.issuingState,
    first_name: firstName,
    last_name: lastName,
    full_name: `${firstName} ${lastName}`,
    gender: null,
    nationality: person.issuingState,
    address: null,
    warnings,
    matches: [],
  };
}

function ipAnalyses(session: DiditSession, outcome: Outcome | null) {
  const { finishedBy, expectedIpAddress } = session;
  if (finishedBy === null) return null;
  const agent = parseUserAgent(finishedBy.userAgent);
  const isElsewhere = expectedIpAddress !== null && expectedIpAddress !== finishedBy.ipAddress;
  const mismatch: FeatureResult = {
    status: 'Approved',
    score: null,
    warning: { risk: 'EXPECTED_IP_ADDRESS_MISMATCH', logType: 'warning' },
  };
  const node = 'feature_ip_analysis';
  return [
    {
      node_id: node,
      status: outcome?.ip?.status ?? 'Approved',
      device_brand: null,
      device_model: null,
      browser_family: agent.browserFamily,
      os_family: agent.osFamily,
      platform: agent.platform,
      device_fingerprint: finishedBy.deviceFingerprint,
      ip_country: null,
      ip_country_code: null,
      ip_state: null,
      ip_city: null,
      latitude: null,
      longitude: null,
      ip_address: finishedBy.ipAddress,
      isp: null,
      organization: null,
      is_vpn_or_tor: false,
      is_data_center: false,
      time_zone: null,
      time_zone_offset: null,
      warnings: [
        ...warningsOf('LOCATION', node, outcome?.ip),
        ...warningsOf('LOCATION', node, isElsewhere ? mismatch : undefined),
      ],
      matches: [],
    },
  ];
}

function warningsOf(feature: string, nodeId: string, result: FeatureResult | undefined) {
  if (result?.warning === undefined) return [];
  const { risk, logType } = result.warning;
  return [
    {
      feature,
      risk,
      additional_data: null,
      log_type: logType,
      short_description: risk,
      long_description: risk,
      node_id: nodeId,
    },
  ];
}
