/** The pages of a hand-off, as values. */
import { qrPicture } from '../../src/web/qr.ts';
import type { HandoffPage } from '../../src/web/handoff-pages.ts';
import type { Page } from '../../src/web/pages.ts';

const address = 'https://id.acme.example/h/q6yX0fVb2nLr8sWc4tZk1A';

export function handoffSamples(word: (plain: string) => string): Record<string, HandoffPage> {
  const client = { name: word('Acme Wiki'), host: word('wiki.acme.example') };
  const [action, notMe] = ['/action', '/not-me'];
  return {
    handoff: {
      page: 'handoff',
      client,
      code: { address: word(address), qr: qrPicture(address), secondsLeft: 87 },
      links: { events: '/events', checkAgain: '/handoff' },
      actions: { passkey: '/passkey', again: action, otherWay: action, cancel: action },
    },
    handoffCode: {
      page: 'handoffCode',
      client,
      error: 'wrong',
      actions: { answer: action, cancel: action },
    },
    phone: {
      page: 'phone',
      client,
      asking: {
        ...{ browser: word('Chrome'), system: word('Windows'), country: 'DE' },
        ...{ relation: 'same_network', secondsAgo: 12 },
      },
      actions: { claim: '/claim', notMe },
    },
    phoneSelfie: {
      page: 'phoneSelfie',
      client,
      identifier: word('ana@example.com'),
      actions: { selfie: action, notMe },
    },
    phoneCode: {
      page: 'phoneCode',
      client,
      code: word('7K3QXW'),
      secondsLeft: 58,
      links: { events: '/events' },
      actions: { notMe },
    },
    phoneOver: { page: 'phoneOver', how: 'done', client },
  };
}

/** The same pages with the words that they have at other times. */
export function handoffVariants(plain: Readonly<Record<string, Page>>): Page[] {
  const phone = plain.phone as Extract<Page, { page: 'phone' }>;
  const asking = { ...phone.asking, browser: undefined, system: undefined, country: undefined };
  const waiting = plain.waiting as Extract<Page, { page: 'waiting' }>;
  const capture = plain.capture as Extract<Page, { page: 'capture' }>;
  const fallback = plain.fallback as Extract<Page, { page: 'fallback' }>;
  return [
    { ...plain.handoff, code: undefined } as Page,
    ...(['same_country', 'other_country', 'cannot_tell'] as const).map((relation) => ({
      ...phone,
      asking: { ...asking, relation, secondsAgo: 1 },
    })),
    ...(['over', 'stopped'] as const).map((how) => ({ ...plain.phoneOver, how }) as Page),
    { page: 'phoneOver', how: 'over', client: undefined },
    { ...waiting, actions: { notMe: '/not-me' } },
    { ...capture, actions: { ...capture.actions, handoff: undefined } },
    {
      ...fallback,
      reason: 'elsewhere',
      actions: { ...fallback.actions, handoff: '/handoff' },
    },
  ];
}
