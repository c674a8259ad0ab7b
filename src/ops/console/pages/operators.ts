/** Who runs the service. */
import { roles } from '../../../domain/operator.ts';
import {
  linkOperator,
  listOperators,
  removeOperator,
  setOperatorRole,
} from '../../acts/operators.ts';
import { type Choice, type ConsolePage, form, typedIn } from '../page.ts';

const choices: readonly Choice[] = roles.map((role) => [role, role]);
const sub = { name: 'sub', label: '', type: 'hidden' } as const;
const role = { name: 'role', label: 'Role', type: { choose: choices } } as const;

export const operators: ConsolePage = {
  ...{ name: 'operators', path: '/operators', inMenu: 'Operators', role: 'admin' },
  forms: [
    form({
      ...{ name: 'link', act: linkOperator, button: 'Make a link', title: 'Add an operator' },
      said: 'Here is the link, shown this once. It is good for an hour.',
      fields: [
        role,
        {
          ...{ name: 'email', label: 'E-mail address', type: 'email' },
          hint: 'Whose link it is. Left empty, it is for whoever follows it and has an account.',
        },
      ],
      input: (values) => ({ body: typedIn(values, ['role', 'email']) }),
      done: ({ link, until }) => ({ to: '/console/operators', once: { link, until } }),
    }),
    {
      ...{ name: 'set-role', act: setOperatorRole, button: 'Change', isSecond: true },
      said: 'They have another role now.',
      fields: [sub, role],
      input: (values) => ({
        params: { id: values.get('sub') },
        body: typedIn(values, ['role']),
      }),
      done: () => ({ to: '/console/operators' }),
    },
    {
      ...{ name: 'remove', act: removeOperator, button: 'Remove', isGrave: true },
      said: 'They run the service no longer.',
      confirm:
        'They run the service no longer, and their console is over at once. Their account stays.',
      fields: [sub],
      input: (values) => ({ params: { id: values.get('sub') } }),
      done: () => ({ to: '/console/operators' }),
    },
  ],
  async show({ look, once, visitor }) {
    const { operators: all } = await look(listOperators);
    const names = Object.fromEntries(all.map(({ sub: id, name }) => [id, name]));
    return { title: 'Operators', data: { operators: all, names, once, me: visitor.account.id } };
  },
};
