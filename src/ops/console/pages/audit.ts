/** What happened, by who, what or when; and why one sign-in went as it did. */
import { eventNames } from '../../../domain/event.ts';
import { listAccounts } from '../../acts/accounts.ts';
import { auditOfSignIn, auditPage } from '../../acts/audit.ts';
import type { NamesOf } from '../names.ts';
import { type ConsolePage, asTime, typedIn } from '../page.ts';

const filters = ['reference', 'account', 'client', 'event', 'since', 'until'] as const;

/** The names themselves, and what several of them begin with. */
const events = [...new Set(eventNames.map((name) => name.replace(/\..*/, ''))), ...eventNames];

interface Named {
  account?: string | undefined;
  object?: string | undefined;
  operators?: readonly string[] | undefined;
}

/** What the operators are called who did it, or to whom it was done. */
export const namesIn = (entries: readonly Named[], namesOf: NamesOf): ReturnType<NamesOf> =>
  namesOf(
    entries.flatMap(({ account, object, operators = [] }) => [account, object, ...operators]),
  );

export const audit: ConsolePage = {
  ...{ name: 'audit', path: '/audit', inMenu: 'Audit', role: 'viewer' },
  async show({ query: { after, ...given }, look, also, namesOf }) {
    const asked = typedIn(new Map(Object.entries(given)), filters);
    const times = Object.fromEntries(
      Object.entries(asked).map(([name, text]) => [
        name,
        name === 'since' || name === 'until' ? asTime(text) : text,
      ]),
    );
    const query = { ...times, limit: 50, ...(after ? { cursor: after } : {}) };
    const { entries, next } = await look(auditPage, { query });
    const { account: named } = asked;
    const found = named === undefined ? undefined : await also(listAccounts, { query: { named } });
    const rest = next && new URLSearchParams({ ...asked, after: next }).toString();
    const names = await namesIn(entries, namesOf);
    return {
      title: 'Audit',
      data: { asked, filters, events, entries, names, rest, whose: found?.accounts[0] },
    };
  },
};

export const explained: ConsolePage = {
  ...{ name: 'explained', path: '/audit/:reference', role: 'viewer' },
  async show({ params: { reference = '' }, look, namesOf }) {
    const found = await look(auditOfSignIn, { params: { reference } });
    const names = await namesIn(found.entries, namesOf);
    return { title: `Sign-in ${found.reference}`, data: { ...found, names } };
  },
};
