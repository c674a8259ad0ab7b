/** From Didit's wire format to what a verdict and a locality are judged by. The rest is left behind unread. */
import type { Hash } from '../domain/environment.ts';
import type { Decision } from '../domain/decision.ts';
import type { DiditDecision } from './port.ts';
import { type DiditDecision as Wire, instantMs } from './wire.ts';

export function toDecision(wire: Wire, hash: Hash): DiditDecision {
  const nonce = wire.metadata?.nonce;
  const features = [...wire.liveness_checks, ...wire.face_matches, ...wire.ip_analyses];
  const decision: Decision = {
    diditSessionId: wire.session_id,
    diditSessionKind: wire.session_kind ?? undefined,
    status: wire.status,
    environment: wire.environment ?? undefined,
    workflowId: wire.workflow_id ?? undefined,
    workflowVersion: wire.workflow_version ?? undefined,
    vendorData: wire.vendor_data ?? undefined,
    nonceHash: typeof nonce === 'string' ? hash(nonce) : undefined,
    sharedFromDiditSessionId: wire.shared_from_session ?? undefined,
    livenessChecks: wire.liveness_checks.map(({ status, method, score }) => ({
      status,
      method: method ?? undefined,
      score,
    })),
    faceMatches: wire.face_matches.map(({ status, score, source_image_session_id }) => ({
      status,
      score,
      sourceDiditSessionId: source_image_session_id ?? undefined,
    })),
    warnings: warningsOf(features),
    reviewCount: wire.reviews.length,
    ...(wire.reviews.some(({ new_status }) => new_status === 'Declined')
      ? { wasDeclinedByHand: true }
      : {}),
    createdAtMs: instantMs(wire.created_at),
    isVpnOrTor: wire.ip_analyses.some((analysis) => analysis.is_vpn_or_tor === true),
    isDataCenter: wire.ip_analyses.some((analysis) => analysis.is_data_center === true),
  };
  const seen = wire.ip_analyses.map((analysis) => ({
    address: analysis.ip_address ?? '',
    browser: analysis.browser_family ?? '',
    system: analysis.os_family ?? '',
  }));
  return { decision, seen };
}

export function warningsOf(
  features: readonly Pick<Wire['liveness_checks'][number], 'warnings'>[],
): Decision['warnings'] {
  return features.flatMap(({ warnings }) =>
    warnings.map(({ risk, log_type }) => ({ risk, logType: log_type ?? undefined })),
  );
}
