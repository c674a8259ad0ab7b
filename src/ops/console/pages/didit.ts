/** How Didit is, and whether it is asked: the manual switch, and maintenance that is planned. */
import { getOutage, setOutageMode } from '../../acts/spending.ts';
import { type ConsolePage, asTime, typedIn } from '../page.ts';

export const didit: ConsolePage = {
  ...{ name: 'didit', path: '/didit', inMenu: 'Didit', role: 'viewer' },
  forms: [
    {
      ...{ name: 'off', act: setOutageMode, button: 'Pause selfies', isGrave: true },
      title: 'Pause selfies, now or later',
      said: 'Noted. While selfies are paused people are told so, and get another way in.',
      fields: [
        { name: 'note', label: 'Why', hint: 'For other operators.', isRequired: true },
        { name: 'from', label: 'From (UTC)', type: 'time', hint: 'Empty: now.' },
        { name: 'until', label: 'Until (UTC)', type: 'time', hint: 'Empty: until you end it.' },
      ],
      input(values) {
        const { note, ...times } = typedIn(values, ['note', 'from', 'until']);
        const given = Object.entries(times).map(([name, text]) => [name, asTime(text)]);
        return { body: { mode: 'on', note, ...Object.fromEntries(given) } };
      },
      done: () => ({ to: '/console/didit' }),
    },
    {
      ...{ name: 'on', act: setOutageMode, button: 'Take selfies again' },
      said: 'Selfies are on, and no pause is planned.',
      input: () => ({ body: { mode: 'off' } }),
      done: () => ({ to: '/console/didit' }),
    },
  ],
  async show({ look, namesOf }) {
    const outage = await look(getOutage);
    const names = await namesOf([outage.by, ...outage.planned.map(({ by }) => by)]);
    return { title: 'Didit', data: { outage, names } };
  },
};
