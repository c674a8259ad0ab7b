/** People: found by exactly what they sign in with, since nothing else of them can be searched. */
import {
  blockAccount,
  getAccount,
  inviteAccount,
  listAccounts,
  signOutAccount,
  unblockAccount,
} from '../../acts/accounts.ts';
import { auditPage } from '../../acts/audit.ts';
import { cancelErasure, getErasure, getRecovery, planErasure } from '../../acts/leaving.ts';
import { listReviews } from '../../acts/reviews.ts';
import { listDevices, listFactors, listSessions } from '../../acts/sessions.ts';
import { nameOf } from '../names.ts';
import { type ConsolePage, form, linesIn, typedIn } from '../page.ts';
import { namesIn } from './audit.ts';
import { recoveryForms } from './recovery.ts';

export const people: ConsolePage = {
  ...{ name: 'people', path: '/people', inMenu: 'People', role: 'viewer' },
  async show({ query: { named = '', after }, look, may }) {
    const query = { ...(named ? { named } : {}), ...(after ? { cursor: after } : {}), limit: 50 };
    const { accounts, next } = await look(listAccounts, { query });
    return { title: 'People', data: { named, accounts, next, mayInvite: may('reviewer') } };
  },
};

export const newPerson: ConsolePage = {
  ...{ name: 'new-person', path: '/new-person', within: '/people', role: 'reviewer' },
  forms: [
    form({
      ...{ name: 'invite', act: inviteAccount, button: 'Invite' },
      said: 'They were invited, for seven days.',
      fields: [
        { name: 'email', label: 'E-mail address', type: 'email', isRequired: true },
        { name: 'name', label: 'Name', hint: 'Optional: what they are called.' },
        { name: 'groups', label: 'Groups', type: 'lines', hint: 'Optional, one a line.' },
      ],
      input: (values) => ({
        body: { ...typedIn(values, ['email', 'name']), groups: linesIn(values, 'groups') },
      }),
      done: ({ sub, sent_to, until }) => ({
        ...{ to: `/console/people/${sub}`, once: { sent_to, until } },
      }),
    }),
  ],
  show: () => Promise.resolve({ title: 'Invite somebody', data: {} }),
};

const back = (_: unknown, { id }: Readonly<Record<string, string>>) => ({
  to: `/console/people/${id ?? ''}`,
});
const onThem = (_: unknown, { id }: Readonly<Record<string, string>>) => ({ params: { id } });

export const person: ConsolePage = {
  ...{ name: 'person', path: '/people/:id', role: 'viewer' },
  forms: [
    {
      ...{ name: 'block', act: blockAccount, button: 'Block', isGrave: true },
      ...{ said: 'They are blocked, and signed out everywhere.', input: onThem, done: back },
      confirm:
        'Nobody gets in as this person, and all that they are signed in to ends now. You can let them in again later.',
    },
    {
      ...{ name: 'unblock', act: unblockAccount, button: 'Let them in again' },
      ...{ said: 'They may come again.', input: onThem, done: back },
    },
    {
      ...{ name: 'sign-out', act: signOutAccount, button: 'Sign out everywhere', isSecond: true },
      ...{ said: 'They are signed out of everything.', input: onThem, done: back },
    },
    {
      ...{ name: 'erase', act: planErasure, button: 'Erase the account', isGrave: true },
      said: 'The erasure is planned. Until it begins the person can call it off.',
      confirm:
        'Everything that is kept of them will be erased, here and at Didit. They are told by mail, and until the date that is shown then they, or you, can call it off. Afterwards nothing brings it back.',
      input: (_, { id }) => ({ params: { id }, body: { what: 'account' } }),
      done: back,
    },
    {
      ...{ name: 'keep', act: cancelErasure, button: 'Call the erasure off' },
      ...{ said: 'They stay.', input: onThem, done: back },
    },
    form({
      ...{ name: 'invite-again', act: inviteAccount, button: 'Invite again', isSecond: true },
      said: 'They were written to once more: a new link, good for seven days.',
      fields: [{ name: 'email', label: '', type: 'hidden' }],
      input: (values) => ({ body: typedIn(values, ['email']) }),
      done: ({ sub, sent_to, until }) => ({
        ...{ to: `/console/people/${sub}`, once: { sent_to, until } },
      }),
    }),
    ...recoveryForms,
  ],
  async show({ params: { id }, look, also, namesOf, may, once }) {
    const them = { params: { id } };
    const account = await look(getAccount, them);
    const [{ devices }, { sessions }, factors, { entries }, ...rest] = await Promise.all([
      ...([also(listDevices, them), also(listSessions, them), also(listFactors, them)] as const),
      also(auditPage, { query: { account: id, limit: 20 } }),
      ...([also(getErasure, them), also(getRecovery, them)] as const),
      may('reviewer') ? also(listReviews, { query: { status: 'all', account: id } }) : undefined,
    ]);
    const [erasure, recovery, cases] = rest;
    const known = { account, devices, sessions, factors, erasure, recovery, cases: cases?.reviews };
    const title = nameOf(account) ?? 'Somebody';
    const asker = 'asked_by' in recovery ? [{ object: recovery.asked_by }] : [];
    const names = await namesIn([...entries, ...asker], namesOf);
    return { title, data: { ...known, happened: entries, names, once } };
  },
};
