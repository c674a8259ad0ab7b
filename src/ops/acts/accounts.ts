/** People: who there is, who may come, who may not. */
import { z } from 'zod';
import { describeAccount } from '../../enrol/export.ts';
import { hasYetToArrive, invite } from '../../enrol/invitation.ts';
import { person } from '../../enrol/person.ts';
import type { Account } from '../../store/accounts.ts';
import { type Actor, act, idParam, isoTime, pageQuery } from './act.ts';
import { requireOtherAdmin } from './operator-accounts.ts';
import { Refusal, orConflict } from './refusal.ts';
import type { ActTools } from './tools.ts';

export const accountView = z.object({
  sub: z.string(),
  status: z.enum(['invited', 'active', 'held', 'blocked', 'erased']),
  email: z.string().optional(),
  email_verified: z.boolean().optional(),
  username: z.string().optional(),
  name: z.string().optional(),
  given_name: z.string().optional(),
  family_name: z.string().optional(),
  locale: z.string().optional(),
  groups: z.array(z.string()),
  enrolled: z.boolean(),
  enrolled_at: z.string().optional(),
  selfie_off: z.boolean().optional(),
  consent: z.object({ version: z.string(), at: z.string() }).optional(),
  /** Of somebody who is invited and has not come. */
  invited_until: z.string().optional(),
  created_at: z.string(),
  updated_at: z.string(),
});

function view(account: Account): z.input<typeof accountView> {
  const { invitedUntilMs, groups } = account;
  const isWaiting = account.status === 'invited' && invitedUntilMs !== undefined;
  return {
    ...(describeAccount(account) as Omit<z.input<typeof accountView>, 'groups'>),
    groups: [...groups],
    ...(isWaiting ? { invited_until: isoTime(invitedUntilMs) } : {}),
  };
}

/** @throws Refusal when there is no such account. */
export async function findAccount(
  id: string,
  { accounts }: Pick<ActTools, 'accounts'>,
): Promise<Account> {
  const account = await accounts.find(id);
  if (!account) throw new Refusal('not_found', 'there is no such account');
  return account;
}

const list = act({
  ...{ id: 'accounts.list', method: 'GET', path: '/accounts' },
  summary: 'People, the newest first; or the one with exactly this address, user name or sub',
  ...{ role: 'viewer', scope: 'accounts:read' },
  query: z.strictObject({
    ...pageQuery,
    /** Compared as at a sign-in: case and space around it do not count. */
    named: z.string().min(1).max(254).optional(),
  }),
  answer: z.object({ accounts: z.array(accountView), next: z.string().optional() }),
  objectOf: ({ accounts: [found] }, { query }) =>
    query.named === undefined ? undefined : found?.sub,
  async run({ query: { named, limit, cursor } }, { accounts }) {
    if (named !== undefined) {
      const found = await accounts.find((await accounts.idOf(named)) ?? named.trim());
      return { accounts: found ? [view(found)] : [] };
    }
    const page = await accounts.page({ limit, after: cursor });
    if (!page) throw new Refusal('invalid', 'the cursor is none of ours');
    return { ...page, accounts: page.accounts.map(view) };
  },
});

const get = act({
  ...{ id: 'accounts.get', method: 'GET', path: '/accounts/:id' },
  summary: 'One person, by their sub',
  ...{ role: 'viewer', scope: 'accounts:read' },
  params: idParam,
  answer: accountView,
  run: async ({ params: { id } }, tools) => view(await findAccount(id, tools)),
});

const fields = person.shape;

const inviteOne = act({
  ...{ id: 'accounts.invite', method: 'POST', path: '/accounts' },
  summary: 'Invite somebody, or once more who has not come: a link for seven days, by mail',
  ...{ role: 'reviewer', scope: 'accounts:write' },
  status: 201,
  body: z.strictObject({
    email: z.email().max(254),
    name: fields.name,
    groups: fields.groups,
  }),
  // No link: who has seen it is not to come as somebody whose mail they cannot read.
  answer: z.object({ sub: z.string(), sent_to: z.string(), until: z.string() }),
  objectOf: ({ sub }) => sub,
  async run({ body: { email, name, groups } }, { canInvite, mail, record, ...tools }, by) {
    if (!canInvite || !mail) {
      const needs = 'it takes registration, a workflow for documents, and a mail server';
      throw new Refusal('conflict', `nobody can be invited here: ${needs}`);
    }
    const asked = { email, groups, ...(name === undefined ? {} : { name }) };
    const { account, untilMs } = await orConflict(invite(asked, { ...tools, mail }));
    const about = { account: account.id, operators: [by.name] };
    record({ event: 'account.invited', atMs: tools.clock(), ...about });
    return { sub: account.id, sent_to: email, until: isoTime(untilMs) };
  },
});

const statusAnswer = z.object({ sub: z.string(), status: accountView.shape.status });

const block = act({
  ...{ id: 'accounts.block', method: 'POST', path: '/accounts/:id/block' },
  summary: 'Nobody gets in as this person, and all that they are signed in to ends',
  ...{ role: 'reviewer', scope: 'accounts:write' },
  params: idParam,
  answer: statusAnswer,
  run: ({ params: { id } }, tools, by) => setStatus(id, 'blocked', tools, by),
});

const unblock = act({
  ...{ id: 'accounts.unblock', method: 'POST', path: '/accounts/:id/unblock' },
  summary: 'Whoever was blocked may come again',
  ...{ role: 'reviewer', scope: 'accounts:write' },
  params: idParam,
  answer: statusAnswer,
  run: ({ params: { id } }, tools, by) => setStatus(id, 'active', tools, by),
});

/** @throws Refusal when it stays as it is. */
async function setStatus(
  id: string,
  wanted: 'active' | 'blocked',
  tools: Pick<ActTools, 'accounts' | 'operators' | 'record' | 'clock'>,
  by: Actor,
): Promise<{ sub: string; status: 'active' | 'blocked' | 'invited' }> {
  const account = await findAccount(id, tools);
  if (wanted === 'blocked') await requireOtherAdmin(id, tools);
  // Whoever is invited, or held over a recovery, is not let in by this.
  const isOther = wanted === 'active' && !['active', 'blocked'].includes(account.status);
  const status = wanted === 'active' && hasYetToArrive(account) ? 'invited' : wanted;
  if (isOther || !(await tools.accounts.setStatus(id, status))) {
    throw new Refusal('conflict', `${id} is ${account.status}, and stays so`);
  }
  if (wanted === 'blocked') await keepAnAdmin(account, tools);
  const about = { account: id, reason: status, operators: [by.name] };
  tools.record({ event: 'account.changed', atMs: tools.clock(), ...about });
  return { sub: id, status };
}

/** Two admins who block each other at the same moment: neither is. */
async function keepAnAdmin(
  { id, status }: Account,
  { accounts, operators }: Pick<ActTools, 'accounts' | 'operators'>,
): Promise<void> {
  const operator = await operators.find(id);
  if (operator?.role !== 'admin' || (await operators.hasActiveAdmin())) return;
  await accounts.setStatus(id, status);
  throw new Refusal('conflict', `${id} is the last admin, and stays`);
}

const signOut = act({
  ...{ id: 'accounts.sign-out', method: 'POST', path: '/accounts/:id/sign-out' },
  summary: 'All that this person is signed in to ends, and every app is told',
  ...{ role: 'reviewer', scope: 'accounts:write' },
  params: idParam,
  answer: z.object({ sub: z.string() }),
  async run({ params: { id } }, tools, by) {
    await findAccount(id, tools);
    if (!(await tools.accounts.signOutEverywhere(id))) {
      throw new Refusal('conflict', `${id} was erased`);
    }
    const about = { account: id, operators: [by.name] };
    tools.record({ event: 'account.signed_out', atMs: tools.clock(), ...about });
    return { sub: id };
  },
});

export {
  list as listAccounts,
  get as getAccount,
  inviteOne as inviteAccount,
  block as blockAccount,
  unblock as unblockAccount,
  signOut as signOutAccount,
};
export const accountActs = [list, get, inviteOne, block, unblock, signOut];
