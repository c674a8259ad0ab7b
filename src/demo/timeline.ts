/** The hops of a person's last sign-in, from the provider's audit events: something only the demo can show. */
import type { AuditEvent } from '../domain/event.ts';
import type { Hop } from './relying-party-pages.ts';

const names: Partial<Record<AuditEvent['event'], string>> = {
  'login.started': 'The provider asks who you are',
  'login.decided': 'You said who you are; a selfie is asked for',
  'capture.created': 'A selfie page is made for this sign-in',
  'verdict.received': 'The verdict is read and judged',
  'browser.returned': 'This browser is back from the selfie page',
  'login.completed': 'The door opens',
};

/** Attempts that are remembered while they are under way. */
const maximumAttempts = 200;

export function createTimeline() {
  const hopsOf = new Map<string, Hop[]>();
  const lastOf = new Map<string, Hop[]>();

  return {
    onEvent: ({ event, attempt, account, atMs }: AuditEvent): void => {
      const name = names[event];
      if (name === undefined || attempt === undefined) return;
      const hops = [...(hopsOf.get(attempt) ?? []), { name, atMs }];
      hopsOf.set(attempt, hops);
      const oldest = hopsOf.keys().next().value;
      if (hopsOf.size > maximumAttempts && oldest !== undefined) hopsOf.delete(oldest);
      if (event === 'login.completed' && account !== undefined) lastOf.set(account, hops);
    },
    of: (sub: string): Hop[] | undefined => lastOf.get(sub),
  };
}
