/** One of each page about people, for the tests of pages; `word` stands wherever a stranger's text can stand. */
import type { HistoryEntry } from '../../src/store/history.ts';
import type { Page } from '../../src/web/pages.ts';

const atMs = Date.UTC(2026, 10, 22, 14, 2, 11);
const action = '/action';

export function peopleSamples(word: (plain: string) => string): Record<string, Page> {
  const client = { name: word('Acme Wiki'), host: word('wiki.acme.example') };
  return { ...enrolling(client, word), ...own(word) };
}

function enrolling(
  client: { name: string; host: string },
  word: (plain: string) => string,
): Record<string, Page> {
  return {
    join: {
      ...{ page: 'join', client, address: word('ana@example.com'), error: 'not_an_address' },
      actions: { join: action, back: action, cancel: action },
    },
    confirm: {
      ...{ page: 'confirm', client, address: word('ana@example.com'), error: 'wrong_code' },
      actions: { confirm: action, again: action, change: action, cancel: action },
    },
    agree: {
      ...{ page: 'agree', client, version: '2026-11-25', error: 'not_ticked' },
      actions: { agree: action, withoutFace: action, cancel: action },
    },
    protect: {
      ...{ page: 'protect', client, withoutFace: false },
      actions: { passkey: action, totp: action, recovery: action, cancel: action },
    },
    protectWithout: {
      ...{ page: 'protect', client, withoutFace: true },
      actions: { passkey: action, totp: action, recovery: action, cancel: action },
    },
    codes: { page: 'codes', client, codes: ['ABCD-EFGH-JKMN-PQRS'], links: { next: '/next' } },
    totp: {
      ...{ page: 'totp', client, secret: 'ABCD EFGH', error: 'wrong_code' },
      qr: 'data:image/svg+xml;base64,PHN2Zy8+',
      actions: { confirm: action, back: action },
    },
    passkeyNew: {
      ...{ page: 'passkey_new', client, options: JSON.stringify({ user: { name: word('ana') } }) },
      error: 'not_made',
      actions: { answer: action, back: action },
    },
    document: { page: 'document', client, actions: { selfie: action, cancel: action } },
    joined: { page: 'joined', client, actions: { signIn: action } },
    invitation: { page: 'invitation', actions: { accept: action } },
    recovery: { page: 'recovery', actions: { check: action } },
  };
}

const seenIn = (word: (plain: string) => string) => ({
  browser: word('Firefox'),
  system: word('Linux'),
});

function own(word: (plain: string) => string): Record<string, Page> {
  const signedIn = { event: 'signed_in', client: word('Wiki'), acr: 'x', authTime: 1 } as const;
  const happened: HistoryEntry[] = [
    { ...signedIn, ...seenIn(word), atMs },
    { event: 'signed_out', authTime: 1, atMs },
    { event: 'refused', client: word('Wiki'), reason: 'declined', ...seenIn(word), atMs },
    { event: 'borrowed_selfie', client: word('Wiki'), ...seenIn(word), atMs },
    { event: 'factor_added', factor: 'passkey', atMs },
    { event: 'factor_removed', factor: 'totp', atMs },
    { event: 'face_enrolled', atMs },
    { event: 'face_replaced', atMs },
    { event: 'face_erased', atMs },
    { event: 'disavowed', authTime: 1, atMs },
    { event: 'withdrawn', client: word('Wiki'), authTime: 1, atMs },
    ...(
      [
        ...['address_changed', 'exported', 'selfie_off', 'selfie_on', 'all_signed_out'],
        ...['recovery_began', 'recovery_done', 'recovery_cancelled'],
        ...['erasure_planned', 'erasure_cancelled'],
      ] as 'exported'[]
    ).map((event) => ({ event, atMs })),
  ];
  const full: Page = {
    page: 'account',
    done: 'signed_out',
    person: { name: word('Ana'), email: word('ana@example.com'), username: word('ana') },
    signIns: [
      { authTime: 1, ...seenIn(word), clients: ['wiki'], isThis: true },
      { authTime: 2, browser: undefined, system: undefined, clients: [], isThis: false },
    ],
    passkeys: [{ id: word('id'), name: word('Laptop'), createdAtMs: atMs, usedAtMs: atMs }],
    devices: [{ id: word('key'), name: word('Chrome'), addedAtMs: atMs, usedAtMs: atMs }],
    hasTotp: true,
    codesLeft: 7,
    apps: [{ id: word('wiki'), name: word('Wiki'), lastMs: atMs }],
    history: happened,
    face: { state: 'on', enrolledAtMs: atMs, consent: '2026-11-25' },
    ...{ canEnrol: true, canWrite: true, canMakePasskeys: true },
    recovery: { readyAtMs: atMs, state: 'ready' },
    erasure: { what: 'face', readyAtMs: atMs },
  };
  return {
    account: full,
    accountBare: {
      ...{
        page: 'account',
        person: { username: word('ana') },
        signIns: [],
        passkeys: [],
        devices: [],
      },
      ...{ hasTotp: false, codesLeft: 0, apps: [], history: [], face: { state: 'none' } },
      ...{ canEnrol: true, canWrite: false, canMakePasskeys: false },
    },
    accountOff: {
      ...full,
      done: undefined,
      face: { state: 'off' },
      recovery: { readyAtMs: atMs, state: 'waits' },
      erasure: { what: 'account', readyAtMs: atMs },
    },
    accountByLink: { ...full, recovery: { readyAtMs: atMs, state: 'by_link' } },
    prove: {
      ...{ page: 'prove', what: 'change', hasPasskey: true, hasCodes: true, hasFace: true },
      error: 'wrong_code',
    },
    proveToErase: {
      ...{ page: 'prove', what: 'erase', hasPasskey: false, hasCodes: false, hasFace: true },
    },
    address: { page: 'address', step: 'new', error: 'not_an_address' },
    addressCodes: {
      ...{ page: 'address', step: 'codes', address: word('new@example.com'), error: 'wrong_code' },
    },
    recover: { page: 'recover', address: word('ana@example.com'), error: 'wrong_code' },
    stop: { page: 'stop', actions: { stop: action } },
    stopped: { page: 'stopped' },
    disavow: { page: 'disavow', actions: { stop: '/account/not-me/x' } },
    disavowed: { page: 'disavowed' },
    sureFace: { page: 'sure', what: 'erase_face', readyAtMs: atMs },
    sureAccount: { page: 'sure', what: 'erase_account', readyAtMs: atMs },
  };
}
