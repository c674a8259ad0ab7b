/** What is asked of Didit, and what its decision will be held against: written down together, before the call. */
import type { CreateRequest } from '../didit/port.ts';
import type { Attempt, Capture } from '../domain/attempt.ts';
import type { Place } from '../domain/locality.ts';
import type { Enrolment } from '../store/accounts.ts';
import { type LoginTools, pathOf } from './room.ts';

const nonceBytes = 32;

interface Planned {
  request: Omit<CreateRequest, 'portraitImage'>;
  /** All but what only Didit's answer tells. */
  capture: Omit<Capture, 'diditSessionId' | 'workflowVersion' | 'slotReceipt' | 'expectation'> & {
    expectation: Omit<Capture['expectation'], 'diditSessionId'>;
  };
}

export function describeCapture(
  { settings, random, hash, clock }: LoginTools,
  attempt: Attempt,
  enrolment: Enrolment,
  from: { place: Place; expiresAtMs: number; hints: { device: string; address: string } },
): Planned {
  // Two nonces: one comes back with the browser, the other with the decision. Neither proves the other.
  const callbackNonce = random(nonceBytes);
  const metadataNonce = random(nonceBytes);
  const { vendorData } = enrolment;
  const { workflowId, environment, minimumLivenessScore, minimumFaceMatchScore } = settings;
  const hints = settings.sendDeviceHints
    ? { device_id: hash(from.hints.device), from_ip: from.hints.address }
    : {};
  return {
    request: {
      workflowId,
      vendorData,
      callback: settings.issuer + pathOf(attempt.interactionUid, `didit/${callbackNonce}`),
      metadata: { purpose: 'returning_user_signin', nonce: metadataNonce, ...hints },
      uiLocales: attempt.request.uiLocales,
    },
    capture: {
      callbackNonceHash: hash(callbackNonce),
      enrolmentId: enrolment.id,
      place: from.place,
      expectation: {
        ...{ workflowId, vendorData, environment, minimumLivenessScore, minimumFaceMatchScore },
        nonceHash: hash(metadataNonce),
        reference: settings.faceReference,
        livenessMethods: ['PASSIVE'],
        startedAtMs: clock(),
        expiresAtMs: from.expiresAtMs,
      },
    },
  };
}
