/**
 * What people are written by mail: one kind a text, with what the text needs to say. The words are in the catalogues
 * (`mail.KIND.…`); how a mail is made and sent is web/mail.ts.
 */

/** The browser that something was done in, as far as it said. */
export interface SeenIn {
  browser: string | undefined;
  system: string | undefined;
}

/** As they are called in texts: `factor.NAME`. */
export type FactorName = 'passkey' | 'totp' | 'recovery' | 'mail';

export type Message =
  /** To be typed into the page that asked for it; `purpose` says what for. */
  | {
      kind: 'code';
      purpose: 'sign_in' | 'confirm_address' | 'recover';
      code: string;
      minutes: number;
    }
  | { kind: 'invitation'; link: string; untilMs: number }
  /** Somebody signed in without a selfie. */
  | ({
      kind: 'other_way';
      factors: readonly FactorName[];
      client: string;
      atMs: number;
      link: string;
    } & SeenIn)
  /** Somebody signed in in a browser that the account was never used in; `keepsKey`: which has a key of its own now. */
  | ({
      kind: 'new_device';
      keepsKey: boolean;
      client: string;
      atMs: number;
      link: string;
    } & SeenIn)
  /** A selfie that was asked for in another browser, stopped or let in and taken back. */
  | ({ kind: 'borrowed_selfie'; ended: boolean; client: string; atMs: number } & SeenIn)
  | { kind: 'factor_added' | 'factor_removed'; factor: FactorName; name?: string; atMs: number }
  | { kind: 'face_enrolled' | 'face_replaced' | 'face_erased'; atMs: number }
  | { kind: 'address_changed'; to: string; atMs: number }
  /** `link` leads to the page that cancels it; from `readyAtMs` on it can be finished. */
  | ({ kind: 'recovery_began'; link: string; readyAtMs: number; atMs: number } & (
      SeenIn | { byOperators: true }
    ))
  | { kind: 'recovery_done' | 'recovery_cancelled'; atMs: number }
  | { kind: 'erasure_planned'; what: 'face' | 'account'; link: string; readyAtMs: number }
  /** By an operator. */
  | { kind: 'erasure_cancelled'; atMs: number }
  | { kind: 'erased'; atMs: number }
  /** A selfie that somebody looked at does not stand in the way; `atMs` is when it was taken. */
  | { kind: 'review_approved'; client: string; atMs: number }
  /** A face that waited to be enrolled is not. */
  | { kind: 'enrolment_declined'; atMs: number }
  /** What a selfie had opened was closed: it did not stand up to a second look. */
  | { kind: 'sign_in_withdrawn'; client: string; atMs: number }
  /** To the operators: a cap is reached, or will be by the end of the month. `client`: of that app alone. */
  | {
      kind: 'budget_soft' | 'budget_hard' | 'budget_forecast';
      client?: string;
      span: 'day' | 'month';
      dollars: number;
      cap: number;
    }
  /** The face has been looking less and less like the reference picture. */
  | { kind: 'face_drifting' };

export interface Addressee {
  address: string;
  /** The language of the account, or those that the person wants, most wanted first; the default one when absent. */
  locale?: string | undefined;
  /** Whose address it is, if it is somebody's: what the log may say of who was written to. */
  account?: string | undefined;
}

/** A mail as it is handed over. */
export interface WrittenMail {
  /** The same each time that this mail is tried, so that a second copy can be told from a second mail. */
  id: string;
  to: Addressee;
  message: Message;
  locale: string;
  subject: string;
  text: string;
  html: string;
  atMs: number;
}

/**
 * A code is handed over when this resolves. Everything else is written down when it resolves, and handed over as soon
 * as that works, within a day.
 * @throws when it could not be.
 */
export type SendMail = (to: Addressee, message: Message) => Promise<void>;
