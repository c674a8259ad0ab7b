/** The pages, as values. */
import type { Page } from '../../src/web/pages.ts';
import { handoffSamples } from './handoff-samples.ts';
import { peopleSamples } from './people-samples.ts';

const atMs = Date.UTC(2026, 10, 22, 14, 2, 11);

/** One of each page; `word` stands wherever a stranger's text can stand. */
export function samples(word: (plain: string) => string): Record<string, Page> {
  const client = { name: word('Acme Wiki'), host: word('wiki.acme.example') };
  const action = '/action';
  return {
    identify: {
      page: 'identify',
      client,
      identifier: word('ana@example.com'),
      deviceKey: { use: 'prove', message: word('sign this'), name: undefined },
      error: 'empty',
      actions: { identify: action, passkey: '/passkey', otherWay: action, cancel: action },
    },
    capture: {
      page: 'capture',
      client,
      identifier: word('ana@example.com'),
      device: { browser: word('Chrome'), system: word('macOS') },
      deviceKey: { use: 'prove', message: word('sign this'), name: word('ana') },
      ways: ['mail', 'totp', 'recovery'],
      actions: {
        ...{
          selfie: action,
          passkey: '/passkey',
          handoff: '/handoff',
          factor: '/factor',
          otherWay: '/other',
        },
        ...{ startOver: action, notMe: action, cancel: action },
      },
    },
    waiting: {
      page: 'waiting',
      client,
      selfieTakenAtMs: atMs,
      returnedAtMs: atMs + 1000,
      links: { events: '/events', checkAgain: '/waiting' },
      actions: { selfie: action, otherWay: action },
    },
    continue: {
      page: 'continue',
      client,
      notices: (['stopped', 'ended'] as const).map((kind) => ({
        ...{ kind, atMs, client: word('Wiki'), browser: word('Firefox'), system: undefined },
      })),
      actions: { continue: '/continued' },
    },
    fallback: {
      page: 'fallback',
      client,
      reason: 'declined',
      ways: ['mail', 'recovery'],
      actions: { tryAgain: action, passkey: '/passkey', factor: action, back: action },
    },
    passkey: {
      page: 'passkey',
      client,
      options: JSON.stringify({ challenge: word('AAAA'), rpId: 'acme.example' }),
      error: 'wrong',
      onlyPasskey: false,
      actions: { begin: action, answer: action, otherWay: action, cancel: action },
    },
    factor: {
      page: 'factor',
      client,
      factor: 'mail',
      isSecond: false,
      ways: ['totp', 'recovery'],
      error: 'wrong',
      actions: {
        ...{
          answer: action,
          passkey: '/passkey',
          factor: action,
          otherWay: action,
          cancel: action,
        },
      },
    },
    secondLeg: {
      page: 'secondLeg',
      client,
      ways: ['totp', 'recovery'],
      actions: { factor: action, selfie: action, cancel: action },
    },
    review: {
      page: 'review',
      client,
      ways: ['totp', 'recovery'],
      actions: { tryAgain: action, passkey: '/passkey', factor: action, back: action },
    },
    foreign: { page: 'foreign' },
    finished: { page: 'finished', client },
    consent: {
      page: 'consent',
      client: {
        ...client,
        privacyUrl: `https://wiki.acme.example/${word('privacy')}`,
        termsUrl: `https://wiki.acme.example/${word('terms')}`,
      },
      scopes: ['openid', 'email', word('wiki:edit')],
      actions: { allow: action, deny: action },
    },
    error: { page: 'error', problem: 'interaction_not_yours', client },
    logout: {
      page: 'logout',
      client,
      formHtml: '<form id="op.logoutForm" method="post" action="/end"></form>',
    },
    loggedOut: { page: 'loggedOut', client },
    biometrics: { page: 'biometrics', kept: { atDiditDays: 30, unusedDays: 365 } },
    ...handoffSamples(word),
    ...peopleSamples(word),
  };
}
