/** The key of a browser, as views/assets/device-key.js makes and uses one, for browsers that run no scripts. */
import { randomBytes, webcrypto } from 'node:crypto';
import { type Answer, type TestBrowser, formsOf } from './browser.ts';
import {
  type Outcome,
  type PartyRequest,
  heading,
  press,
  settle,
  takeSelfie,
  whileWaiting,
} from './login.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

type Fields = Record<string, string>;

export interface Task {
  use: 'prove' | 'make' | 'forget';
  message: string;
}

/** What a page hands to its script. */
export function taskOn({ text }: Answer): Task | undefined {
  const [, use = ''] = /\bdata-device-key="(prove|make|forget)"/.exec(text) ?? [];
  const [, message = ''] = /\bdata-message="([^"]*)"/.exec(text) ?? [];
  return use === '' ? undefined : { use: use as Task['use'], message };
}

export type Device = ReturnType<typeof createDevice>;

/** What one browser keeps: no key at first. */
export function createDevice() {
  let kept: { id: string; pair: webcrypto.CryptoKeyPair } | undefined;

  async function sign(message: string): Promise<Fields> {
    if (!kept) return {};
    const bytes = new TextEncoder().encode(message);
    const signature = await webcrypto.subtle.sign(algorithm, kept.pair.privateKey, bytes);
    const device_signature = Buffer.from(signature).toString('base64url');
    return { device_key: kept.id, device_signature };
  }

  async function make(message: string): Promise<Fields> {
    const pair = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
    kept = { id: randomBytes(32).toString('base64url'), pair };
    const { x = '', y = '' } = await webcrypto.subtle.exportKey('jwk', pair.publicKey);
    return { ...(await sign(message)), device_key_x: x, device_key_y: y };
  }

  return {
    /** Undefined as long as there is no key. */
    id: (): string | undefined => kept?.id,
    sign,
    make,
    /** The fields that the script would add to the form of this page. */
    async fields(page: Answer): Promise<Fields> {
      const task = taskOn(page);
      if (task?.use === 'make') return make(task.message);
      if (task?.use === 'forget') kept = undefined;
      return task?.use === 'prove' ? sign(task.message) : {};
    },
  };
}

/** From the app to the page after the name, or the first one of somebody who is signed in. */
export async function toContext(
  browser: TestBrowser,
  request: Pick<PartyRequest, 'url'>,
  person: string,
  device?: Device,
): Promise<Answer> {
  const page = await settle(browser, await browser.get(request.url));
  const asksWho = formsOf(page).some(({ action }) => action.endsWith('/identify'));
  if (!asksWho) return page;
  const fields = { identifier: person, ...(await device?.fields(page)) };
  return settle(browser, await press(browser, page, 'identify', fields));
}

/** From the page that offers a selfie to what comes of it. */
export async function selfieOn(
  browser: TestBrowser,
  page: Answer,
  device?: Device,
  { outcome = 'approve', more = {} }: { outcome?: Outcome; more?: Fields } = {},
): Promise<Answer> {
  const fields = { ...(await device?.fields(page)), ...more };
  const didit = await settle(browser, await press(browser, page, 'selfie', fields));
  const isOurs = new URL(didit.url).pathname.startsWith('/interaction/');
  if (isOurs || didit.location !== undefined) return didit;
  return whileWaiting(browser, await settle(browser, await takeSelfie(browser, didit, outcome)));
}

/** The last button. @returns the address of the app's callback. */
export async function leaveBy(
  browser: TestBrowser,
  page: Answer,
  device?: Device,
): Promise<string> {
  if (page.location !== undefined) return page.location;
  const done = await settle(
    browser,
    await press(browser, page, 'resume', await device?.fields(page)),
  );
  if (done.location === undefined) throw new Error(`no redirect but "${heading(done)}"`);
  return done.location;
}

/** A whole sign-in by whatever is asked: a selfie, or none where the key stands for it. @returns the app's callback. */
export async function signInWith(
  browser: TestBrowser,
  request: Pick<PartyRequest, 'url'>,
  person: string,
  device: Device,
  more: Fields = {},
): Promise<string> {
  const page = await toContext(browser, request, person, device);
  if (page.location !== undefined || heading(page) === 'It is you') {
    return leaveBy(browser, page, device);
  }
  return leaveBy(browser, await selfieOn(browser, page, device, { more }), device);
}
