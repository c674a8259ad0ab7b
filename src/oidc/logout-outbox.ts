/**
 * Back-channel logout (OpenID Connect Back-Channel Logout 1.0) through a queue. The library would call every relying
 * party while the person waits, once. Here each call is written down, made by whichever process comes first, and
 * repeated until the relying party has heard of it: one that is down holds nobody up, and learns of it later.
 *
 * A logout token lives for two minutes, so each attempt makes a new one.
 */
import type { Provider } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import { type DueList, createDueList } from '../store/due.ts';
import type { Store } from '../store/store.ts';

export interface OutboxNote {
  client: string;
  attempt: number;
  /** `given_up`: it failed for the last time. `gone`: there is no such client any more. */
  result: 'delivered' | 'failed' | 'given_up' | 'gone';
  reason?: string;
}

export interface OutboxTools {
  store: Store;
  clock: Clock;
  noted: (note: OutboxNote) => void;
  failed: (error: unknown) => void;
}

/** After the first attempt: a relying party that is being restarted, one that is away for lunch. */
const pausesMs = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];
/** An outgoing request takes 2.5 s at most. */
const leaseMs = 15_000;

/** Takes the place of the library's own calls. */
export function createLogoutOutbox(provider: Provider, tools: OutboxTools): DueList {
  const { noted } = tools;
  const client = provider.Client.prototype as unknown as BackChannelClient;
  const call = client.backchannelLogout;
  const due = createDueList({
    ...{ ...tools, leaseMs, work: deliver },
    index: 'logout:due',
    keptSeconds: 86_400,
  });

  client.backchannelLogout = async function enqueue(sub, sid) {
    await due.add(JSON.stringify([this.clientId, sub, sid, 1]), 0);
    due.nudge();
  };

  async function deliver(member: string): Promise<void> {
    const [clientId, sub, sid, attempt] = JSON.parse(member) as [string, string, string, number];
    const found = await provider.Client.find(clientId);
    if (!found) {
      noted({ client: clientId, attempt, result: 'gone' });
      return;
    }
    try {
      await call.call(found as unknown as BackChannelClient, sub, sid);
      noted({ client: clientId, attempt, result: 'delivered' });
    } catch (error) {
      const pauseMs = pausesMs[attempt - 1];
      const reason = reasonOf(error);
      const result = pauseMs === undefined ? 'given_up' : 'failed';
      if (pauseMs !== undefined) {
        await due.add(JSON.stringify([clientId, sub, sid, attempt + 1]), pauseMs);
      }
      noted({ client: clientId, attempt, result, reason });
    }
  }

  return due;
}

/** What the library's types leave out. */
export interface BackChannelClient {
  clientId: string;
  backchannelLogoutUri?: string;
  backchannelLogout: (this: BackChannelClient, sub: string, sid: string) => Promise<void>;
}

/** For the log: which kind of error, or the status that came back; no address. */
function reasonOf(error: unknown): string {
  const { name, response } = error as { name?: string; response?: { status?: number } };
  return response?.status === undefined ? (name ?? 'unknown') : `status ${response.status}`;
}
