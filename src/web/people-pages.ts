/** The pages on which somebody enrols, and those that the person's own page has in common with them. */
import type { AskingClient } from './pages.ts';

export type PeoplePage =
  /** Somebody new: which address is theirs? */
  | {
      page: 'join';
      client: AskingClient;
      address: string | undefined;
      error?: 'not_an_address';
      actions: { join: string; back: string; cancel: string };
    }
  /** A code went to the address. */
  | {
      page: 'confirm';
      client: AskingClient;
      address: string;
      error?: 'wrong_code';
      actions: { confirm: string; again: string; change: string; cancel: string };
    }
  /** The consent to having one's face taken, by itself. */
  | {
      page: 'agree';
      client: AskingClient;
      version: string;
      error?: 'not_ticked';
      actions: { agree: string; withoutFace?: string | undefined; cancel: string };
    }
  /** A way in that needs no face comes first. */
  | {
      page: 'protect';
      client: AskingClient;
      withoutFace: boolean;
      actions: { passkey?: string | undefined; totp: string; recovery: string; cancel: string };
    }
  /** Shown once, and never again. */
  | { page: 'codes'; client?: AskingClient; codes: readonly string[]; links: { next: string } }
  | {
      page: 'totp';
      client?: AskingClient;
      /** Base32, in groups, for typing. */
      secret: string;
      /** The same for a camera: a picture as `data:` URL. */
      qr: string;
      error?: 'wrong_code';
      actions: { confirm: string; back: string };
    }
  | {
      page: 'passkey_new';
      client?: AskingClient;
      /** For the browser, as JSON. */
      options: string;
      error?: 'not_made';
      actions: { answer: string; back: string };
    }
  /** All is ready for the document and the selfie. */
  | { page: 'document'; client: AskingClient; actions: { selfie: string; cancel: string } }
  | { page: 'invitation'; actions: { accept: string } }
  /** By an operator's link, after the wait. */
  | { page: 'recovery'; actions: { check: string } }
  | { page: 'joined'; client: AskingClient; actions: { signIn: string } };
