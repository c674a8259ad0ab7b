/**
 * What a finished check says: one table for the buttons of the hosted page, one for Didit's sandbox scenarios.
 * Both are rows of the same shape, which `decision.ts` turns into Didit's words.
 */
import type { DiditFeatureStatus, DiditSessionStatus } from '../didit/wire.ts';
import type { SimulatedWorkflow } from './options.ts';

interface FeatureResult {
  status: DiditFeatureStatus;
  score: number | null;
  /** What Didit would raise, and how it would treat it. */
  warning?: { risk: string; logType: 'error' | 'warning' };
}

export interface Outcome {
  label: string;
  status: DiditSessionStatus;
  liveness: FeatureResult;
  /** Null when the workflow did not compare faces. */
  faceMatch: FeatureResult | null;
  /** Set when the document or the place, not the face, decided. */
  document?: FeatureResult;
  ip?: FeatureResult;
}

const live: FeatureResult = { status: 'Approved', score: 96 };
const notFinished: FeatureResult = { status: 'Not Finished', score: null };
const same: FeatureResult = { status: 'Approved', score: 96.41 };
const faces = { liveness: live, faceMatch: same };

const approved: Outcome = { label: 'Approve', status: 'Approved', ...faces };
const otherFace: Outcome = {
  label: 'Decline: another face',
  status: 'Declined',
  liveness: live,
  faceMatch: {
    status: 'Declined',
    score: 31.27,
    warning: { risk: 'LOW_FACE_MATCH_SIMILARITY', logType: 'error' },
  },
};
const spoof: Outcome = {
  label: 'Decline: not a live face',
  status: 'Declined',
  liveness: {
    status: 'Declined',
    score: 4.2,
    warning: { risk: 'LIVENESS_FACE_ATTACK', logType: 'error' },
  },
  faceMatch: same,
};
const review: Outcome = {
  label: 'Send to review',
  status: 'In Review',
  liveness: live,
  faceMatch: {
    status: 'In Review',
    score: 57.3,
    warning: { risk: 'LOW_FACE_MATCH_SIMILARITY', logType: 'warning' },
  },
};

/** The buttons, in the order of the page. Names are those of `data-outcome`. */
export const outcomes = {
  approve: approved,
  decline: otherFace,
  spoof,
  review,
  'low-score': {
    label: 'Approve with a low score',
    status: 'Approved',
    liveness: live,
    faceMatch: { status: 'Approved', score: 61.5 },
  },
  'no-match': {
    label: 'Approve without a face match',
    status: 'Approved',
    liveness: live,
    faceMatch: null,
  },
  'decline-document': byDocument(
    'Declined',
    'DOCUMENT_NUMBER_FORMAT_MISMATCH',
    'Decline: the document',
  ),
  'expired-document': byDocument(
    'Declined',
    'DOCUMENT_EXPIRED',
    'Decline: the document has expired',
  ),
  'review-document': byDocument('In Review', 'DATA_INCONSISTENT', 'Send the document to review'),
  abandon: {
    label: 'Leave without finishing',
    status: 'Abandoned',
    liveness: notFinished,
    faceMatch: null,
  },
  expire: {
    label: 'Let the link expire',
    status: 'Expired',
    liveness: notFinished,
    faceMatch: null,
  },
} as const satisfies Record<string, Outcome>;

export type OutcomeName = keyof typeof outcomes;

export const outcomeNames = Object.keys(outcomes) as OutcomeName[];

/** Where no document is shown, none can be declined. */
export function outcomesOf({ features }: SimulatedWorkflow): OutcomeName[] {
  const hasDocument = features.includes('ID_VERIFICATION');
  return outcomeNames.filter((name) => hasDocument || !('document' in outcomes[name]));
}

/** These say that the person left; no scenario can turn them into a verdict. */
export function isLeaving(name: OutcomeName): boolean {
  return name === 'abandon' || name === 'expire';
}

function byDocument(status: 'Declined' | 'In Review', risk: string, label = risk) {
  const logType = status === 'Declined' ? 'error' : 'warning';
  return {
    label,
    status,
    ...faces,
    document: { status, score: null, warning: { risk, logType } },
  } satisfies Outcome;
}

/** Didit's sandbox scenarios by slug. Risks that Didit does not publish for a slug are named after it. */
export const scenarios: ReadonlyMap<string, Outcome> = new Map([
  ['approve', approved],
  ['decline_document_expired', byDocument('Declined', 'DOCUMENT_EXPIRED')],
  ['decline_could_not_recognize_document', byDocument('Declined', 'COULD_NOT_RECOGNIZE_DOCUMENT')],
  ['decline_mrz_validation', byDocument('Declined', 'MRZ_VALIDATION_FAILED')],
  ['decline_minimum_age', byDocument('Declined', 'MINIMUM_AGE_NOT_MET')],
  ['decline_face_match_low_similarity', otherFace],
  ['decline_liveness_attack', spoof],
  ['decline_aml_hit', byDocument('Declined', 'AML_HIT')],
  [
    'decline_ip_blocklist',
    {
      label: 'Decline: blocked address',
      status: 'Declined',
      ...faces,
      ip: {
        status: 'Declined',
        score: null,
        warning: { risk: 'IP_ADDRESS_IN_BLOCKLIST', logType: 'error' },
      },
    },
  ],
  ['decline_poa_address_mismatch', byDocument('Declined', 'POA_ADDRESS_MISMATCH')],
  ['decline_nfc_chip_not_verified', byDocument('Declined', 'NFC_CHIP_NOT_VERIFIED')],
  ['decline_database_no_match', byDocument('Declined', 'DATABASE_NO_MATCH')],
  ['decline_kyb_registry_mismatch', byDocument('Declined', 'KYB_REGISTRY_MISMATCH')],
  ['review_aml_possible_match', byDocument('In Review', 'AML_POSSIBLE_MATCH')],
  ['review_face_match_borderline', review],
  ['review_poa_partial_match', byDocument('In Review', 'POA_PARTIAL_MATCH')],
]);
