/** docs/troubleshooting.md against the catalogues; a code that is added there and not here does not compile. */
import { describe, expect, test } from 'vitest';
import type { DiditFailure } from '../../src/didit/port.ts';
import type { WebhookRefusal } from '../../src/didit/signature.ts';
import type { WebhookResult } from '../../src/didit/webhook.ts';
import type { DenialReason } from '../../src/domain/attempt.ts';
import type { Limited } from '../../src/domain/limits.ts';
import type { Locality } from '../../src/domain/locality.ts';
import { Problem, type ProblemCode } from '../../src/domain/problem.ts';
import type { MailFailure } from '../../src/web/mail-server.ts';
import { read, rows, section } from './support.ts';

const page = read('docs/troubleshooting.md');

const problemCodes: Record<ProblemCode, true> = {
  cross_site: true,
  step_missing: true,
  interaction_not_yours: true,
  interaction_over: true,
  malformed: true,
  body_too_large: true,
  body_too_slow: true,
  unsupported_media_type: true,
  not_found: true,
  method_not_allowed: true,
  too_many_requests: true,
  unauthorized: true,
  forbidden: true,
  sign_in_again: true,
  invalid: true,
  conflict: true,
  changed_meanwhile: true,
  version_required: true,
  webhook_refused: true,
  unavailable: true,
  internal: true,
};

const refusals: Record<WebhookRefusal, true> = {
  header_repeated: true,
  signature_missing: true,
  signature_malformed: true,
  signature_mismatch: true,
  body_invalid: true,
  timestamp_missing: true,
  timestamp_malformed: true,
  timestamp_differs: true,
  timestamp_stale: true,
};

const results: Record<Exclude<WebhookResult, 'refused'>, true> = {
  settled: true,
  over: true,
  pending: true,
  ignored: true,
  unknown: true,
  quarantined: true,
  later: true,
};

const denials: Record<DenialReason, true> = {
  refused: true,
  unmet: true,
  wrong_code: true,
  declined: true,
  in_review: true,
  not_finished: true,
  elsewhere: true,
  stale: true,
  changed: true,
  unavailable: true,
  limited: true,
  paused: true,
  other_way: true,
  cancelled: true,
};

const failures: Record<DiditFailure, true> = {
  unavailable: true,
  rate_limited: true,
  refused: true,
  not_enrolled: true,
  blocked: true,
  unknown_session: true,
  schema_drift: true,
  out_of_credit: true,
};

const mailReasons: Record<MailFailure | 'expired', true> = {
  unreachable: true,
  timeout: true,
  tls: true,
  login: true,
  refused: true,
  expired: true,
};

const limited: Limited[] = ['device', 'address', 'account', 'client', 'everybody'];

const localities: Record<Locality, true> = {
  agrees: true,
  differs: true,
  cannot_tell: true,
  unknown: true,
};

describe('docs/troubleshooting.md', () => {
  test('has every problem code with its status, and no other', () => {
    const told = rows(section(page, '## Problem codes')).slice(1);
    const codes = Object.keys(problemCodes) as ProblemCode[];
    const expected = codes.map((code) => [`\`${code}\``, String(new Problem(code).status)]);
    expect(told.map(([code, status]) => [code, status])).toEqual(expected);
  });

  test('has every reason for which a webhook is refused, and every result', () => {
    const text = section(page, '## Why a webhook was refused');
    expect(missing(text, [...Object.keys(refusals), ...Object.keys(results)])).toEqual([]);
  });

  test('has every reason of a verdict, and every place', () => {
    const sources = ['verdict', 'decision', 'enrolment'].map((name) =>
      read(`src/domain/${name}.ts`),
    );
    const settle = read('src/didit/look.ts').match(/reason: '\w+'/g) ?? [];
    // Whatever looks like a code is one, and what is called a reason.
    const found = [...sources, ...settle].join().matchAll(/'([a-z]+_[a-z_]+)'|reason: '(\w+)'/g);
    const reasons = [...found].map(([, code, reason]) => code ?? reason ?? '');
    for (const one of ['face_match_score_low', 'not_one_document', 'no_fresh_liveness', 'open']) {
      expect(reasons).toContain(one);
    }
    const text = section(page, '## Why a verdict was no login');
    expect(missing(text, [...reasons, ...Object.keys(localities)])).toEqual([]);
  });

  test('has every reason for which a login is denied', () => {
    const ofDidit = Object.keys(failures).map((failure) => `didit_${failure}`);
    const text = section(page, '## Why a login was denied');
    expect(missing(text, [...Object.keys(denials), ...ofDidit])).toEqual([]);
  });

  test('has every reason for which a mail was not sent, and no other', () => {
    const told = rows(section(page, '## Why a mail was not sent')).slice(1);
    const codes = Object.keys(mailReasons).map((reason) => `\`${reason}\``);
    expect(told.map(([reason]) => reason)).toEqual(codes);
  });

  test('has every reason that a capture gives up for', () => {
    const turn = read('src/domain/turn.ts');
    const refusals = [...turn.matchAll(/(?:refused: |return )'(held|throttled|closed)'/g)];
    const details = [
      ...new Set(refusals.map(([, one = '']) => `turn_${one}`)),
      ...limited.map((one) => `limit_${one}`),
    ];
    expect(details).toHaveLength(8);
    expect(missing(section(page, '## Why a login was denied'), details)).toEqual([]);
  });
});

function missing(text: string, codes: readonly string[]): string[] {
  return codes.filter((code) => !text.includes(`\`${code}\``));
}
