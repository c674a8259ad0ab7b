/**
 * A desktop that asks for a hand-off, and phones that may help it: real browsers of plain HTTP, in front of a provider
 * with one app that allows it.
 */
import { overhear } from '../../didit/support.ts';
import type { Answer, TestBrowser } from '../../support/browser.ts';
import {
  type Party,
  type PartyRequest,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  whileWaiting,
} from '../../support/login.ts';
import {
  type Testbed,
  type TestbedOptions,
  redirectUri,
  startTestbed,
} from '../../support/testbed.ts';

export const safariOnIphone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) ' +
  'Version/26.0 Mobile/15E148 Safari/604.1';

const clientSecret = 'secret-of-the-desk-0123456789abcdef';
/** The one app that takes a selfie from another device. */
export const deskClient = {
  client_id: 'desk',
  client_name: 'Desk',
  client_secret: clientSecret,
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  first_party: true,
  handoff: true,
};

export interface Scene {
  bed: Testbed;
  /** The app that allows it. */
  desk: Party;
  overheard: ReturnType<typeof overhear>;
  count(event: string): number;
  /** Moves the provider's and Didit's clock. */
  pass(ms: number): void;
  close(): Promise<void>;
}

export async function openScene(options: TestbedOptions = {}): Promise<Scene> {
  const time = { aheadMs: 0 };
  const overheard = overhear();
  const bed = await startTestbed({
    ...{ people: 60, fetch: overheard.fetch, clock: () => Date.now() + time.aheadMs },
    ...options,
    clients: [deskClient, ...(options.clients ?? [])],
  });
  return {
    ...{ bed, overheard },
    desk: await createParty({ issuer: bed.issuer, clientSecret }, 'desk'),
    count: (name) => bed.events.filter(({ event }) => event === name).length,
    pass(ms) {
      time.aheadMs += ms;
    },
    close: () => bed.close(),
  };
}

export const phoneOf = (): TestBrowser => createBrowser({ userAgent: safariOnIphone });

export interface Offered {
  desktop: TestBrowser;
  request: PartyRequest;
  person: string;
  /** The page with the square code. */
  page: Answer;
  /** Where the square code leads. */
  address: string;
}

/** Somebody at a desktop has typed a name. */
export async function named(
  { desk, bed }: Scene,
  {
    desktop = createBrowser(),
    party = desk,
    person = bed.person(),
    ...parameters
  }: Partial<{
    desktop: TestBrowser;
    party: Party;
    person: string;
    [parameter: string]: unknown;
  }> = {},
) {
  const request = await party.begin(parameters as Record<string, string>);
  const identify = await settle(desktop, await desktop.get(request.url));
  // Whoever is signed in there is known already.
  const capture = identify.text.includes('/identify"')
    ? await settle(desktop, await press(desktop, identify, 'identify', { identifier: person }))
    : identify;
  return { desktop, request, person, capture };
}

/** And has asked for the camera of a phone. */
export async function offered(
  scene: Scene,
  options: Parameters<typeof named>[1] = {},
): Promise<Offered> {
  const { capture, ...who } = await named(scene, options);
  const page = await settle(who.desktop, await press(who.desktop, capture, 'handoff'));
  return { ...who, page, address: addressOn(page) };
}

export function addressOn({ text, url }: Answer): string {
  const [address] = /https?:\/\/[^<\s"]*\/h\/[\w-]{22}/.exec(text) ?? [];
  if (!address) throw new Error(`no address for a phone on ${url}`);
  return address;
}

/** A phone opens the address and says that it is the right one. @returns the page before the selfie. */
export async function claim(phone: TestBrowser, address: string): Promise<Answer> {
  return settle(phone, await press(phone, await phone.get(address), 'claim'));
}

/** @returns Didit's page, on the phone. */
export async function toDidit(phone: TestBrowser, page: Answer): Promise<Answer> {
  return settle(phone, await press(phone, page, 'selfie'));
}

/** All that a phone does, as far as the code that it shows. */
export async function approveOn(phone: TestBrowser, address: string): Promise<Answer> {
  return finishOn(phone, await claim(phone, address));
}

/** The same from the page before the selfie. */
export async function finishOn(phone: TestBrowser, page: Answer): Promise<Answer> {
  const didit = await toDidit(phone, page);
  return whileWaiting(phone, await settle(phone, await takeSelfie(phone, didit, 'approve')));
}

export function codeOn(page: Answer): string {
  const [, code] = /class="back-code">([2-9A-HJKMNP-TV-Z]{6})</.exec(page.text) ?? [];
  if (!code) throw new Error(`no code on "${heading(page)}"`);
  return code;
}

/** Where the desktop's sign-in is now. */
export const look = ({ desktop, page }: Offered): Promise<Answer> => desktop.get(page.url);

export async function typeCode(offer: Offered, answer: string): Promise<Answer> {
  const { desktop } = offer;
  return settle(desktop, await press(desktop, await look(offer), 'handoff-code', { answer }));
}
