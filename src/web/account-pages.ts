/** The person's own page: everything about them on one sheet, and what its buttons lead to. */
import type { HistoryEntry } from '../store/history.ts';

export interface AccountSignIn {
  authTime: number;
  browser: string | undefined;
  system: string | undefined;
  clients: readonly string[];
  isThis: boolean;
}

export interface AccountSheet {
  page: 'account';
  /** What the last button did, one of the texts `account.done.…`. */
  done?: string | undefined;
  person: { name?: string | undefined; email?: string | undefined; username?: string | undefined };
  signIns: readonly AccountSignIn[];
  passkeys: readonly { id: string; name: string; createdAtMs: number; usedAtMs?: number }[];
  /** Browsers that have a key of their own. */
  devices: readonly { id: string; name: string; addedAtMs: number; usedAtMs: number }[];
  hasTotp: boolean;
  codesLeft: number;
  apps: readonly { id: string; name: string; lastMs: number }[];
  history: readonly HistoryEntry[];
  face: {
    state: 'none' | 'on' | 'off';
    enrolledAtMs?: number | undefined;
    consent?: string | undefined;
  };
  canEnrol: boolean;
  /** Browsers make none where the provider is at a mere address. */
  canMakePasskeys: boolean;
  /** Can anybody be written to here? */
  canWrite: boolean;
  recovery?: { readyAtMs: number; state: 'waits' | 'by_link' | 'ready' } | undefined;
  erasure?: { what: 'face' | 'account'; readyAtMs: number } | undefined;
}

export type AccountPage =
  | AccountSheet
  /** Something was asked for that needs a proof from just now. */
  | {
      page: 'prove';
      /** `change` takes more than a selfie, `erase` the best that there is besides it. */
      what: 'change' | 'erase';
      hasPasskey: boolean;
      hasCodes: boolean;
      hasFace: boolean;
      error?: 'wrong_code';
    }
  | {
      page: 'address';
      step: 'new' | 'codes';
      address?: string | undefined;
      error?: string | undefined;
    }
  /** A code went to the address; with it, a recovery begins. */
  | { page: 'recover'; address: string; error?: 'wrong_code' }
  | { page: 'stop'; actions: { stop: string } }
  | { page: 'stopped' }
  | { page: 'disavow'; actions: { stop: string } }
  | { page: 'disavowed' }
  | { page: 'sure'; what: 'erase_face' | 'erase_account'; readyAtMs: number };
