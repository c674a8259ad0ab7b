/** What is asked of Didit, and what its decision will be held against: written down together, before the call. */
import { type CreateRequest, DiditError } from '../didit/port.ts';
import type { Attempt, Capture } from '../domain/attempt.ts';
import { enrolmentLivenessMethods } from '../domain/enrolment.ts';
import type { LoginTools } from './room.ts';
import type { Subject } from './subject.ts';

const nonceBytes = 32;

interface Planned {
  request: Omit<CreateRequest, 'portraitImage'>;
  /** All but what only Didit's answer tells. */
  capture: Omit<Capture, 'diditSessionId' | 'expectation'> & {
    expectation: Omit<Capture['expectation'], 'diditSessionId' | 'workflowVersion'>;
  };
}

export function describeCapture(
  { settings, random, hash, clock }: LoginTools,
  attempt: Attempt,
  { enrolmentId, vendorData, decoy, face }: Subject,
  from: Pick<Capture, 'place' | 'device'> & {
    expiresAtMs: number;
    callbackFor: (nonce: string) => string;
    hints: { device: string; address: string };
  },
): Planned {
  // Two nonces: one comes back with the browser, the other with the decision. Neither proves the other.
  const callbackNonce = random(nonceBytes);
  const metadataNonce = random(nonceBytes);
  const { environment, minimumLivenessScore } = settings;
  const isByDocument = face === 'document';
  const minimumFaceMatchScore = isByDocument
    ? settings.minimumDocumentMatchScore
    : settings.minimumFaceMatchScore;
  const isActive = 'decision' in attempt && attempt.decision.action === 'selfie_active';
  const loginWorkflowId = isActive ? settings.activeWorkflowId : settings.workflowId;
  const workflowId = isByDocument ? settings.enrolmentWorkflowId : loginWorkflowId;
  if (workflowId === undefined) throw new DiditError('refused', 'there is no workflow for this');
  const purpose = isByDocument ? 'enrolment' : 'returning_user_signin';
  const hints = settings.sendDeviceHints
    ? { device_id: hash(from.hints.device), from_ip: from.hints.address }
    : {};
  return {
    request: {
      workflowId,
      workflowType: isByDocument ? undefined : 'biometric_authentication',
      vendorData,
      callback: settings.issuer + from.callbackFor(callbackNonce),
      metadata: { purpose, nonce: metadataNonce, ...hints },
      uiLocales: attempt.request.uiLocales,
      ...(settings.sendDeviceHints ? { expectedAddress: from.hints.address } : {}),
    },
    capture: {
      callbackNonceHash: hash(callbackNonce),
      enrolmentId,
      place: from.place,
      device: from.device,
      expectation: {
        ...{ workflowId, vendorData, environment, minimumLivenessScore, minimumFaceMatchScore },
        nonceHash: hash(metadataNonce),
        decoy,
        reference: typeof face === 'string' ? face : 'portrait',
        livenessMethods: isByDocument
          ? enrolmentLivenessMethods(settings.allowFlashing)
          : [isActive ? 'ACTIVE_3D' : 'PASSIVE'],
        startedAtMs: clock(),
        expiresAtMs: from.expiresAtMs,
      },
    },
  };
}
