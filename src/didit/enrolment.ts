/** From Didit's wire format to what an enrolment is judged by and keeps. The rest is left behind unread. */
import type { Hash } from '../domain/environment.ts';
import { toDecision, warningsOf } from './decision.ts';
import type { DiditEnrolment, EnrolmentFacts } from './port.ts';
import { type DiditEnrolment as Wire, instantMs } from './wire.ts';

type Document = Wire['id_verifications'][number];

/** Nobody's name is longer; what claims to be is no name. */
const longestName = 200;

export function toEnrolment(wire: Wire, hash: Hash): DiditEnrolment {
  const { decision, seen } = toDecision(wire, hash);
  const documents = wire.id_verifications;
  return {
    decision: {
      ...decision,
      documentChecks: documents.map(({ status }) => ({ status })),
      warnings: [...decision.warnings, ...warningsOf(documents)],
      reviewers: wire.reviews.flatMap(({ user }) => user ?? []),
      lastReviewAtMs: lastOf(wire.reviews.map(({ created_at }) => instantMs(created_at))),
    },
    seen,
    facts: documents[0] ? factsOf(documents[0]) : {},
    portraitUrl: portraitOf(wire),
  };
}

/**
 * The selfie of this very check first: it was taken by the person, alive, today, with the kind of camera and light
 * that every login will have. The picture on the document is years old and a photograph of print; it is better than
 * none.
 */
function portraitOf({ liveness_checks, id_verifications }: Wire): string | undefined {
  return liveness_checks[0]?.reference_image ?? id_verifications[0]?.portrait_image ?? undefined;
}

/** Undefined when one of them is: it could be the last. */
function lastOf(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((one) => one !== undefined);
  return known.length > 0 && known.length === times.length ? Math.max(...known) : undefined;
}

function factsOf(document: Document): EnrolmentFacts {
  const givenName = nameOf(document.first_name);
  const familyName = nameOf(document.last_name);
  const birthdate = dayOf(document.date_of_birth);
  const documentKey = keyOf(document);
  return {
    ...(givenName === undefined ? {} : { givenName }),
    ...(familyName === undefined ? {} : { familyName }),
    ...(birthdate === undefined ? {} : { birthdate }),
    ...(documentKey === undefined ? {} : { documentKey }),
  };
}

function nameOf(text: string | null | undefined): string | undefined {
  // What steers a terminal or turns the writing round is no part of it.
  const name = (text ?? '').replace(/[\p{Cc}\s\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
  return name !== '' && name.length <= longestName ? name : undefined;
}

/** A day that there is in the calendar, or nothing. */
function dayOf(text: string | null | undefined): string | undefined {
  if (!text || !/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const atMs = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(atMs) || !new Date(atMs).toISOString().startsWith(text) ? undefined : text;
}

/** A number alone names nothing: each state has its own, and each type of document. */
function keyOf({ issuing_state, document_type, document_number }: Document): string | undefined {
  const parts = [issuing_state, document_type, document_number].map((part) => part?.trim() ?? '');
  return parts.includes('') ? undefined : parts.join(':');
}
