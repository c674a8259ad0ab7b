/** A login as a person has it, through the simulator, and its two halves: up to Didit, and from the verdict on. */
import * as oidc from 'openid-client';
import type { Simulator } from '../../src/simulator/simulator.ts';
import { chromeOnLinux, createBrowser } from '../support/browser.ts';
import { type Party, heading, press, settle, takeSelfie, toSelfie } from '../support/login.ts';
import { type Decision, approve, lastDecision, webhookOf } from './didit.ts';
import type { Work } from './loads.ts';
import type { Server } from './process.ts';
import { send } from './requests.ts';

export const personOf = (number: number): string => `person-${number}@example.com`;

/** A person has one selfie under way at a time, so each worker is another one. */
export function wholeLogin(party: Party, number: number): Work {
  return () => signIn(party, personOf(number));
}

async function signIn(party: Party, identifier: string): Promise<void> {
  const browser = createBrowser();
  const request = await party.begin();
  const didit = await toSelfie(browser, request, identifier);
  let page = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  while (heading(page) === 'Checking your selfie') {
    // Answers when there is something to see.
    await browser.get(`${page.url}/events`);
    page = await browser.get(page.url);
  }
  const done = await settle(browser, await press(browser, page, 'resume'));
  if (done.location === undefined) throw new Error(`the login ended on "${heading(done)}"`);
  const tokens = await request.finish(done.location);
  const { sub } = tokens.claims() ?? {};
  if (sub === undefined) throw new Error('no ID token came');
  await oidc.fetchUserInfo(party.config, tokens.access_token, sub);
}

export interface WaitingPage {
  number: number;
  decision: Decision;
  /** Resolves when the page is told to look again. */
  rung: Promise<void>;
}

/**
 * A person who is back from Didit and whose verdict is not there yet, with the page open that waits for it. The
 * selfie itself is finished later: else the provider would look for the verdict by itself and find it.
 */
export async function openWaitingPage(
  party: Party,
  simulator: Simulator,
  number: number,
): Promise<WaitingPage> {
  const browser = createBrowser();
  const request = await party.begin();
  await toSelfie(browser, request, personOf(number));
  const decision = await lastDecision(simulator);
  const page = await settle(browser, await browser.get(decision.callback));
  const eventsUrl = `${page.url}/events?n=${number}`;
  const response = await fetch(eventsUrl, {
    headers: { cookie: await browser.jar.getCookieString(eventsUrl) },
  });
  if (response.status !== 200) throw new Error(`no events on "${heading(page)}"`);
  const rung = response.text().then((text) => {
    if (!text.includes('data: look again')) throw new Error(`the page was sent away: ${text}`);
  });
  return { number, decision, rung };
}

/** Didit approves, and rings. */
export async function bringVerdict(
  server: Server,
  simulator: Simulator,
  { number, decision, rung }: WaitingPage,
): Promise<void> {
  await approve(simulator, decision.session_id, chromeOnLinux);
  const url = `${server.issuer}/webhooks/didit?n=${number}`;
  const { status, text } = await send(url, { method: 'POST', ...webhookOf(decision, 'Approved') });
  if (status !== 200) throw new Error(`a webhook was answered ${status}: ${text}`);
  await rung;
}
