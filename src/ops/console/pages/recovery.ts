/** Forms of a person's page for somebody who has nothing left to sign in by: two operators open it, then it waits. */
import { linkRecovery, openRecovery, stopRecovery } from '../../acts/leaving.ts';
import { type ConsoleForm, form } from '../page.ts';

const onThem = (_: unknown, { id }: Readonly<Record<string, string>>) => ({ params: { id } });
const pageOf = ({ id }: Readonly<Record<string, string>>): string => `/console/people/${id ?? ''}`;

export const recoveryForms: readonly ConsoleForm[] = [
  form({
    ...{ name: 'recover', act: openRecovery, button: 'Open a recovery', isGrave: true },
    said: 'It is noted. The wait begins once two operators have opened it.',
    confirm:
      'For somebody who has lost all that they sign in by. Make sure that it is them, and not only by mail. Two operators have to open it; the person is written to and can call it off; after the wait they show a document and their face.',
    input: onThem,
    done: (_, params) => ({ to: pageOf(params) }),
  }),
  form({
    ...{ name: 'recovery-link', act: linkRecovery, button: 'Make the link' },
    said: 'Here is the link, shown this once. It is good for fifteen minutes.',
    input: onThem,
    done: ({ link, until }, params) => ({ to: pageOf(params), once: { recovery: link, until } }),
  }),
  form({
    ...{ name: 'stop-recovery', act: stopRecovery, button: 'Stop the recovery', isSecond: true },
    said: 'The recovery is over, and they are signed out everywhere.',
    input: onThem,
    done: (_, params) => ({ to: pageOf(params) }),
  }),
];
