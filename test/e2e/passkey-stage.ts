/**
 * A provider on a host, since browsers make passkeys for hosts alone, and people whose browsers have an authenticator
 * that needs no hand. Passkeys are put to accounts as the pages for that will do it, beside the provider, in its store.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { CDPSession, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { AuditEvent } from '../../src/domain/event.ts';
import type { WrittenMail } from '../../src/domain/message.ts';
import { type Passkeys, createPasskeys } from '../../src/fallback/passkeys.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { type Account, createAccounts } from '../../src/store/accounts.ts';
import { createFactorRecords } from '../../src/store/factors.ts';
import { createHistory } from '../../src/store/history.ts';
import { openStore } from '../../src/store/open.ts';
import { apiKey } from '../didit/support.ts';
import { hostedOrigin, launchChromium, newPerson } from '../support/chromium.ts';
import { createParty } from '../support/login.ts';
import { writePeople } from '../support/people.ts';
import { freePort } from '../support/ports.ts';
import { freshRedis } from '../support/redis.ts';
import { deploymentKeys, startApp, webhookSecret } from '../support/testbed.ts';

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');

export type PasskeyStage = Awaited<ReturnType<typeof openPasskeyStage>>;

export async function openPasskeyStage() {
  const [port, callbackPort, keys] = [await freePort(), await freePort(), await deploymentKeys()];
  const issuer = `http://localhost:${port}`;
  const callback = `http://rp.localhost:${callbackPort}/callback`;
  const people = writePeople(30);
  const events: AuditEvent[] = [];
  const mails: WrittenMail[] = [];
  const simulator = await createSimulator({
    ...{ apiKeys: { sandbox: [apiKey] }, webhookSecret, webhookDelayMs: 0, hostedOrigin },
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  simulator.sendWebhooksTo(`${issuer}/webhooks/didit`);
  const storeUrl = await freshRedis();
  const app = await startApp({
    ...{ keys, port, simulatorUrl, apiKey, storeUrl, events, mails, accountsFile: people.file },
    flags: { issuer, didit: { hostedOrigins: [hostedOrigin] } },
    clients: [
      {
        ...{ client_id: 'browser', client_name: 'Wiki', first_party: true },
        ...{ client_secret: keys.clientSecret, redirect_uris: [callback] },
      },
    ],
  });
  await app.listen();
  const doors = await openDoors(callbackPort);
  const browser = await launchChromium(simulatorUrl);
  const beside = await openBeside({ issuer, storeUrl, encryptionKey: keys.encryptionKey });
  const party = await createParty({ issuer, clientSecret: keys.clientSecret }, 'browser', callback);

  /** A browser with an authenticator of its own. */
  async function someone() {
    const { page } = await newPerson(browser);
    return { page, ...(await addAuthenticator(page)) };
  }

  return {
    ...{ issuer, callback, app, browser, events, mails, someone, ...beside },
    party,
    person: () => people.next(),
    async selfiesAskedFor(): Promise<number> {
      const log = (await (await fetch(`${simulatorUrl}/control/log`)).json()) as {
        calls: { operation: string }[];
      };
      return log.calls.filter(({ operation }) => operation === 'create').length;
    },
    async close() {
      await browser.close();
      await app.close();
      await beside.closeBeside();
      await doors.close();
      await simulator.close();
      people.remove();
    },
  };
}

/** Where people come back to. */
async function openDoors(port: number) {
  const server = createServer((_, response) => response.end('<!doctype html><h1>Back</h1>'));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function openBeside(at: { issuer: string; storeUrl: string; encryptionKey: string }) {
  const clock = Date.now;
  const { store } = await openStore({
    ...{ url: at.storeUrl, encryptionKeys: [at.encryptionKey], clock },
  });
  const accounts = createAccounts(store, { clock, random });
  const records = createFactorRecords(store);
  const passkeys: Passkeys = createPasskeys({
    ...{ store, records, issuer: at.issuer, rpName: 'Test', clock, random },
    alarm: () => undefined,
  });

  async function accountOf(identifier: string): Promise<Account> {
    const account = await accounts.find((await accounts.idOf(identifier)) ?? '');
    if (!account) throw new Error(`there is no ${identifier}`);
    return account;
  }

  return {
    ...{ accounts, accountOf, passkeys, history: createHistory(store, clock) },
    closeBeside: () => store.close(),
    /** The authenticator of this browser makes a passkey for this account. */
    async makePasskey(page: Page, identifier: string): Promise<void> {
      const account = await accountOf(identifier);
      const options = await passkeys.registrationOptions(account, identifier);
      await page.goto(`${at.issuer}/nothing-is-here`);
      const made = await page.evaluate<string>(`(async () => {
        const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(options)});
        return JSON.stringify(await navigator.credentials.create({ publicKey }));
      })()`);
      expect(await passkeys.register(account, identifier, made, 'Browser')).toBeDefined();
    },
  };
}

async function addAuthenticator(page: Page) {
  const cdp: CDPSession = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true },
      ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    },
  });
  return {
    /** Does the PIN or the finger fit? */
    fits: (isUserVerified: boolean) =>
      cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  };
}
