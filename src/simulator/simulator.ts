/**
 * A Didit in a process: the same paths, the hosted page, signed webhooks, and misfortune on demand. It is for this
 * provider's demo and tests and for anybody else who integrates Didit. It shares with the provider the wire format
 * only, so the provider reaches it like the real one, over HTTP. All state is in memory.
 *
 * Start with `outcomes.ts` (what a check can say), then `lifecycle.ts` (how a session moves), then the doors:
 * `api.ts`, `hosted.ts`, `control.ts`, and `webhooks.ts` for the way out.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addApi } from './api.ts';
import { createGuard, redirectToSlash } from './calls.ts';
import type { CallState } from './calls.ts';
import { addControl } from './control.ts';
import { createFaults } from './faults.ts';
import { addHostedPage } from './hosted.ts';
import { createJournal } from './journal.ts';
import { createLifecycle } from './lifecycle.ts';
import { addMedia } from './media.ts';
import { settingsOf } from './options.ts';
import type { SimulatorOptions } from './options.ts';
import { createState } from './state.ts';
import { createWebhooks } from './webhooks.ts';

export interface Simulator {
  /** Where it listens. Throws before `listen` has resolved. */
  readonly url: string;
  /** Port 0 lets the system choose. @returns the url. */
  listen(port: number, host?: string): Promise<string>;
  /**
   * Adds a webhook destination that is signed with the option's secret, or another one. It takes the place of one with
   * the same address.
   */
  sendWebhooksTo(url: string, secret?: string): void;
  /** Stops listening and forgets the webhooks that are still to be sent. */
  close(): Promise<void>;
}

/** Koa is loaded here and not above, so that importing the command line or a type stays cheap. */
export async function createSimulator(options: SimulatorOptions): Promise<Simulator> {
  const [{ default: Koa }, { default: Router }] = await Promise.all([
    import('koa'),
    import('@koa/router'),
  ]);
  const settings = settingsOf(options);
  const { logger } = settings;
  let url: string | undefined;
  const ownUrl = () => {
    if (url === undefined) throw new Error('The simulator does not listen yet.');
    return url;
  };
  const hostedOrigin = () => settings.hostedOrigin ?? ownUrl();

  const state = createState(settings);
  const faults = createFaults();
  const journal = createJournal(state.now);
  const webhooks = createWebhooks({ settings, state, faults, journal, hostedOrigin });
  const lifecycle = createLifecycle(state, webhooks, logger);
  const guard = createGuard({ settings, state, faults, journal });
  const sendWebhooksTo = (webhookUrl: string, secret = settings.webhookSecret) => {
    for (const { id, url: known } of state.destinations.values()) {
      if (known === webhookUrl) state.destinations.delete(id);
    }
    const subscription = { webhookVersion: 'v3', subscribedEvents: ['status.updated'] };
    const details = { label: 'default', url: webhookUrl, enabled: true, ...subscription };
    state.addDestination(details, secret);
  };
  if (settings.webhookUrl !== undefined) sendWebhooksTo(settings.webhookUrl);

  const router = new Router<CallState>({ strict: true });
  addApi({ router, guard, settings, state, lifecycle, hostedOrigin });
  addHostedPage({ router, settings, state, lifecycle });
  addMedia({ router, guard, state });
  addControl({ router, state, lifecycle, faults, journal, webhooks });
  const app = new Koa<CallState>();
  app.on('error', (error: Error) => {
    logger.warn({ error: error.message }, 'call failed');
  });
  app.use(redirectToSlash).use(router.routes()).use(router.allowedMethods());
  const handle = app.callback();
  const server = createServer((request, response) => void handle(request, response));

  return {
    get url() {
      return ownUrl();
    },
    async listen(port, host = '127.0.0.1') {
      server.listen(port, host);
      await once(server, 'listening');
      const address = server.address() as AddressInfo;
      url = `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
      return url;
    },
    sendWebhooksTo,
    async close() {
      webhooks.close();
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
