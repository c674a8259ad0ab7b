/** One message of each kind, and of each kind each sort; `word` stands wherever somebody else's text can stand. */
import type { Message } from '../../src/domain/message.ts';

export const mailAtMs = Date.UTC(2026, 10, 22, 14, 2, 11);

export function messagesOf(
  issuer: string,
  word: (plain: string) => string = (plain) => plain,
): Message[] {
  const atMs = mailAtMs;
  const seen = { client: word('Acme Wiki'), atMs, browser: word('Firefox'), system: undefined };
  const later = { link: `${issuer}/x/secret-of-a-link`, readyAtMs: atMs + 86_400_000 };
  const byKind: Record<Message['kind'], Message[]> = {
    code: [
      { kind: 'code', purpose: 'sign_in', code: '482913', minutes: 10 },
      { kind: 'code', purpose: 'confirm_address', code: '482913', minutes: 1 },
      { kind: 'code', purpose: 'recover', code: '482913', minutes: 1 },
    ],
    invitation: [{ kind: 'invitation', link: later.link, untilMs: later.readyAtMs }],
    other_way: [{ kind: 'other_way', factors: ['mail', 'totp'], link: later.link, ...seen }],
    borrowed_selfie: [
      { kind: 'borrowed_selfie', ended: false, ...seen },
      { kind: 'borrowed_selfie', ended: true, ...seen, browser: undefined, system: word('macOS') },
    ],
    new_device: [
      { kind: 'new_device', keepsKey: true, link: later.link, ...seen },
      { kind: 'new_device', keepsKey: false, link: later.link, ...seen },
    ],
    factor_added: [
      { kind: 'factor_added', factor: 'passkey', name: word('Ana’s phone'), atMs },
      { kind: 'factor_added', factor: 'recovery', atMs },
    ],
    factor_removed: [{ kind: 'factor_removed', factor: 'totp', atMs }],
    budget_soft: [{ kind: 'budget_soft', span: 'day', dollars: 12.3, cap: 12 }],
    budget_hard: [
      { kind: 'budget_hard', client: word('wiki'), span: 'month', dollars: 20, cap: 20 },
    ],
    budget_forecast: [{ kind: 'budget_forecast', span: 'month', dollars: 31.5, cap: 30 }],
    face_enrolled: [{ kind: 'face_enrolled', atMs }],
    face_replaced: [{ kind: 'face_replaced', atMs }],
    face_erased: [{ kind: 'face_erased', atMs }],
    address_changed: [{ kind: 'address_changed', to: `ana.maria@${word('example.org')}`, atMs }],
    recovery_began: [
      { kind: 'recovery_began', ...later, atMs, browser: word('Firefox'), system: word('macOS') },
    ],
    recovery_done: [{ kind: 'recovery_done', atMs }],
    recovery_cancelled: [{ kind: 'recovery_cancelled', atMs }],
    erasure_planned: [
      { kind: 'erasure_planned', what: 'face', ...later },
      { kind: 'erasure_planned', what: 'account', ...later },
    ],
    erasure_cancelled: [{ kind: 'erasure_cancelled', atMs }],
    erased: [{ kind: 'erased', atMs }],
    review_approved: [{ kind: 'review_approved', client: word('Acme Wiki'), atMs }],
    enrolment_declined: [{ kind: 'enrolment_declined', atMs }],
    sign_in_withdrawn: [{ kind: 'sign_in_withdrawn', client: word('Acme Wiki'), atMs }],
    face_drifting: [{ kind: 'face_drifting' }],
  };
  return Object.values(byKind).flat();
}
