/** The pages of a selfie that is handed off to a phone: two for the browser that asked, four for the phone. */
import type { HandoffOfCapture } from '../domain/handoff.ts';
import type { AskingClient } from './pages.ts';

export type HandoffPage =
  | {
      page: 'handoff';
      client: AskingClient;
      /** `qr`: the address as a picture, a `data:` URL. Absent once a phone has it. */
      code: { address: string; qr: string; secondsLeft: number } | undefined;
      links: { events: string; checkAgain: string };
      actions: { passkey?: string | undefined; again: string; otherWay: string; cancel: string };
    }
  /** The phone has its approval, and shows a code for this page. */
  | {
      page: 'handoffCode';
      client: AskingClient;
      error?: 'wrong';
      actions: { answer: string; cancel: string };
    }
  /** What the phone is shown first. */
  | {
      page: 'phone';
      client: AskingClient;
      asking: {
        browser: string | undefined;
        system: string | undefined;
        /** Two letters, where it is known. */
        country: string | undefined;
        relation: HandoffOfCapture['relation'];
        secondsAgo: number;
      };
      actions: { claim: string; notMe: string };
    }
  | {
      page: 'phoneSelfie';
      client: AskingClient;
      identifier: string;
      actions: { selfie: string; notMe: string };
    }
  | {
      page: 'phoneCode';
      client: AskingClient;
      code: string;
      secondsLeft: number;
      links: { events: string };
      actions: { notMe: string };
    }
  /** `stopped`: by a press on this phone. */
  | {
      page: 'phoneOver';
      how: 'done' | 'over' | 'stopped';
      client: AskingClient | undefined;
    };
