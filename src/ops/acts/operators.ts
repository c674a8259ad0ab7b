/** Who runs the service. Nobody becomes an operator but by a link that they follow and a sign-in of their own. */
import { z } from 'zod';
import { roles } from '../../domain/operator.ts';
import type { Changed } from '../../store/operators.ts';
import { changeOperator, linkForOperator } from '../operators.ts';
import { type Actor, act, done, idParam, isoTime } from './act.ts';
import { Refusal, orConflict } from './refusal.ts';

export const operatorView = z.object({
  sub: z.string(),
  role: z.enum(roles),
  /** Whom their account names; absent when it is gone. */
  name: z.string().optional(),
  status: z.string().optional(),
  since: z.string(),
  by: z.string(),
});

const list = act({
  ...{ id: 'operators.list', method: 'GET', path: '/operators' },
  summary: 'Everybody who runs the service, and in which role',
  ...{ role: 'admin', scope: 'operators:read' },
  answer: z.object({ operators: z.array(operatorView) }),
  async run(_, { operators, accounts }) {
    const all = await operators.list();
    const found = await Promise.all(all.map(({ accountId }) => accounts.find(accountId)));
    return {
      operators: all.map(({ accountId: sub, role, sinceMs, by }, at) => {
        const { name, email, username, status } = found[at] ?? {};
        const known = name ?? email ?? username;
        const about = {
          ...(known === undefined ? {} : { name: known }),
          ...(status && { status }),
        };
        return { sub, role, since: isoTime(sinceMs), by, ...about };
      }),
    };
  },
});

const link = act({
  ...{ id: 'operators.link', method: 'POST', path: '/operators/link' },
  summary: 'A link, for an hour and to be used once, that makes somebody an operator',
  ...{ role: 'admin', scope: 'operators:write', isDangerous: true },
  body: z.strictObject({ role: z.enum(roles), email: z.email().max(254).optional() }),
  answer: z.object({ link: z.string(), until: z.string(), sub: z.string().optional() }),
  objectOf: ({ sub }) => sub,
  async run({ body }, tools, by) {
    requirePerson(by);
    const maker = by.kind === 'operator' ? { maker: by.name } : {};
    const made = await orConflict(linkForOperator({ ...body, by: by.name, ...maker }, tools));
    const { account, link: address, untilMs } = made;
    return { link: address, until: isoTime(untilMs), ...(account ? { sub: account.id } : {}) };
  },
});

const changed = done.extend({
  /** The ids of keys of programs that they had made as an admin, and that ended with it. */
  revoked_keys: z.array(z.string()),
});

const setRole = act({
  ...{ id: 'operators.set-role', method: 'PUT', path: '/operators/:id' },
  summary: 'Another role for an operator; there is always an admin left',
  ...{ role: 'admin', scope: 'operators:write', isDangerous: true },
  params: idParam,
  body: z.strictObject({ role: z.enum(roles) }),
  answer: changed,
  async run({ params: { id }, body: { role } }, tools, by) {
    requirePerson(by);
    return orRefuse(await changeOperator(id, { role, by: by.name }, tools));
  },
});

const remove = act({
  ...{ id: 'operators.remove', method: 'DELETE', path: '/operators/:id' },
  summary: 'They run the service no longer, and their console is over; their account stays',
  ...{ role: 'admin', scope: 'operators:write', isDangerous: true },
  params: idParam,
  answer: changed,
  run: async ({ params: { id } }, tools, by) =>
    orRefuse(await changeOperator(id, { by: by.name }, tools)),
});

/** Whoever holds a key would else make themselves an operator by it. */
function requirePerson({ kind }: Actor): void {
  if (kind === 'key') throw new Refusal('forbidden', 'it takes a person, and a key is none');
}

function orRefuse({ change, revoked }: Changed): z.input<typeof changed> {
  if (change === 'unknown') throw new Refusal('not_found', 'there is no such operator');
  if (change === 'last_admin') {
    throw new Refusal(
      'conflict',
      'it is the last admin, and nobody would be left to let others in',
    );
  }
  return { done: true, revoked_keys: revoked.map(({ id }) => id) };
}

export {
  list as listOperators,
  link as linkOperator,
  setRole as setOperatorRole,
  remove as removeOperator,
};
export const operatorActs = [list, link, setRole, remove];
