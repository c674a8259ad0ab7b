/**
 * The applications that people sign in to in these tests: the sample relying party of the demo, three times, each
 * on a host of its own, since ports do not separate cookies.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Page } from 'playwright-core';
import { randomKey } from '../../src/config/keys.ts';
import { createRelyingParty } from '../../src/demo/relying-party.ts';
import { freePort } from '../support/ports.ts';

/** `wiki` and `notes` belong to the house; `guest` does not, so its people are asked for consent. */
const names = ['wiki', 'notes', 'guest'] as const;
export type AppName = (typeof names)[number];

export interface Apps {
  urls: Record<AppName, string>;
  /** As the provider has to register them. */
  clients: object[];
  start(issuer: string): Promise<void>;
  close(): Promise<void>;
}

/** The ports are taken from what is free now, because the provider wants to know them before the apps can start. */
export async function prepareApps(): Promise<Apps> {
  const clientSecret = randomKey();
  const servers: Server[] = [];
  const apps = await Promise.all(names.map(async (name) => ({ name, port: await freePort() })));
  const urlOf = ({ name, port }: (typeof apps)[number]): string =>
    `http://${name}.localhost:${port}`;

  return {
    urls: Object.fromEntries(apps.map((app) => [app.name, urlOf(app)])) as Apps['urls'],
    clients: apps.map((app) => ({
      client_id: app.name,
      client_name: `The ${app.name}`,
      client_secret: clientSecret,
      redirect_uris: [`${urlOf(app)}/callback`],
      post_logout_redirect_uris: [`${urlOf(app)}/`],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      // Not the browser but the provider calls this, and only browsers find `*.localhost`.
      backchannel_logout_uri: `http://127.0.0.1:${app.port}/backchannel-logout`,
      backchannel_logout_session_required: true,
      first_party: app.name !== 'guest',
    })),
    async start(issuer) {
      for (const app of apps) {
        const relyingParty = createRelyingParty({
          issuer,
          clientId: app.name,
          clientSecret,
          baseUrl: urlOf(app),
          timeline: () => undefined,
          people: ['ana@example.com', 'ben@example.com'],
        });
        const server = relyingParty.listen(app.port, '127.0.0.1');
        servers.push(server);
        await once(server, 'listening');
      }
    },
    async close() {
      await Promise.all(
        servers.map(async (server) => {
          const closed = once(server, 'close');
          server.close();
          server.closeAllConnections();
          await closed;
        }),
      );
    },
  };
}

/** The table of claims that the sample application shows, as it stands on the screen. */
export async function claimsOn(page: Page): Promise<Record<string, string>> {
  const rows = await page.locator('tbody tr').all();
  const claims = rows.map(async (row) => [
    await row.locator('th code').innerText(),
    await row.locator('td code').innerText(),
  ]);
  return Object.fromEntries(await Promise.all(claims)) as Record<string, string>;
}

export const signedIn = (page: Page) => page.getByText('You are signed in to Acme Wiki.');
export const signInLink = (page: Page) => page.getByRole('link', { name: 'Sign in with a selfie' });
