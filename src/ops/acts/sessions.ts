/** Where somebody is signed in and what apps have got of it, their browsers' keys, and their other ways in. */
import { z } from 'zod';
import { withoutKeys } from '../../domain/familiar.ts';
import { describeFactors } from '../../enrol/export.ts';
import { findAccount } from './accounts.ts';
import { act, done, idParam, isoTime } from './act.ts';
import { Refusal } from './refusal.ts';

const part = (name: string) => idParam.extend({ [name]: z.string().min(1).max(254) });

const listSessions = act({
  ...{ id: 'sessions.list', method: 'GET', path: '/accounts/:id/sessions' },
  summary: 'Where somebody is signed in, and to which apps',
  ...{ role: 'viewer', scope: 'sessions:read' },
  params: idParam,
  answer: z.object({
    sessions: z.array(
      z.object({ id: z.string(), signed_in_at: z.string(), clients: z.array(z.string()) }),
    ),
  }),
  async run({ params: { id } }, tools) {
    await findAccount(id, tools);
    const open = await tools.signIns.of(id);
    return {
      sessions: open.map(({ uid, authTime, clients }) => ({
        ...{ id: uid, signed_in_at: isoTime(authTime * 1000), clients: [...clients] },
      })),
    };
  },
});

const endSession = act({
  ...{ id: 'sessions.end', method: 'DELETE', path: '/accounts/:id/sessions/:session' },
  summary: 'This sign-in and all that hangs on it counts no more; its apps are told',
  ...{ role: 'reviewer', scope: 'sessions:write' },
  params: part('session'),
  answer: done,
  async run({ params }, tools, by) {
    const { id = '', session } = params as Record<string, string>;
    await findAccount(id, tools);
    const found = (await tools.signIns.of(id)).find(({ uid }) => uid === session);
    if (!found) throw new Refusal('not_found', 'there is no such sign-in');
    const { authTime } = found;
    await tools.accounts.revokeProof(id, authTime);
    const atMs = tools.clock();
    await tools.history.add(id, { event: 'signed_out', authTime, atMs });
    const about = { account: id, reason: 'signed_out', operators: [by.name] };
    tools.record({ event: 'account.signed_out', atMs, ...about });
    return { done: true as const };
  },
});

const listGrants = act({
  ...{ id: 'grants.list', method: 'GET', path: '/accounts/:id/grants' },
  summary: 'Which apps have a share in the sign-ins of somebody',
  ...{ role: 'viewer', scope: 'sessions:read' },
  params: idParam,
  answer: z.object({ grants: z.array(z.object({ client: z.string(), sessions: z.int() })) }),
  async run({ params: { id } }, tools) {
    await findAccount(id, tools);
    const counts = new Map<string, number>();
    for (const { clients } of await tools.signIns.of(id)) {
      for (const client of clients) counts.set(client, (counts.get(client) ?? 0) + 1);
    }
    return { grants: [...counts].map(([client, sessions]) => ({ client, sessions })) };
  },
});

const endGrant = act({
  ...{ id: 'grants.end', method: 'DELETE', path: '/accounts/:id/grants/:client' },
  summary:
    'All that this app has got of somebody counts no more, refresh tokens too; it may ask again',
  ...{ role: 'reviewer', scope: 'sessions:write' },
  params: part('client'),
  answer: done,
  async run({ params }, tools, by) {
    const { id = '', client = '' } = params as Record<string, string>;
    await findAccount(id, tools);
    if (!(await tools.clients.get(client)))
      throw new Refusal('not_found', 'there is no such client');
    await tools.accounts.revokeApp(id, client);
    const about = { account: id, client, reason: 'app_revoked', operators: [by.name] };
    tools.record({ event: 'account.changed', atMs: tools.clock(), ...about });
    return { done: true as const };
  },
});

const listDevices = act({
  ...{ id: 'devices.list', method: 'GET', path: '/accounts/:id/devices' },
  summary: 'The browsers that have a key of somebody’s',
  ...{ role: 'viewer', scope: 'devices:read' },
  params: idParam,
  answer: z.object({
    devices: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        added_at: z.string(),
        used_at: z.string(),
        /** When a selfie was last accepted there. */
        selfie_at: z.string(),
      }),
    ),
  }),
  async run({ params: { id } }, tools) {
    await findAccount(id, tools);
    const { keys } = await tools.familiar.load(id);
    return {
      devices: keys.map((key) => ({
        ...{ id: key.id, name: key.name, added_at: isoTime(key.addedAtMs) },
        ...{ used_at: isoTime(key.usedAtMs), selfie_at: isoTime(key.actedAtMs) },
      })),
    };
  },
});

const removeDevice = act({
  ...{ id: 'devices.remove', method: 'DELETE', path: '/accounts/:id/devices/:device' },
  summary: 'The key of this browser opens nothing any more; the next sign-in there takes a selfie',
  ...{ role: 'reviewer', scope: 'devices:write' },
  params: part('device'),
  answer: done,
  async run({ params }, tools, by) {
    const { id = '', device } = params as Record<string, string>;
    await findAccount(id, tools);
    const removed = { isThere: false };
    await tools.familiar.change(id, (before) => {
      removed.isThere = before.keys.some((key) => key.id === device);
      return removed.isThere ? withoutKeys(before, (key) => key.id === device) : before;
    });
    if (!removed.isThere) throw new Refusal('not_found', 'there is no such key');
    const atMs = tools.clock();
    await tools.history.add(id, { event: 'device_removed', atMs });
    const about = { account: id, reason: 'device_removed', operators: [by.name] };
    tools.record({ event: 'factor.removed', atMs, ...about });
    return { done: true as const };
  },
});

/** To take them away is not an operator's: whoever could, could let somebody else in. See recovery.ts. */
const listFactors = act({
  ...{ id: 'factors.list', method: 'GET', path: '/accounts/:id/factors' },
  summary: 'Somebody’s ways in besides a selfie: what there is, never a key or a code',
  ...{ role: 'viewer', scope: 'accounts:read' },
  params: idParam,
  answer: z.object({
    passkeys: z.array(
      z.object({
        name: z.string(),
        synced: z.boolean(),
        created_at: z.string().optional(),
        used_at: z.string().optional(),
      }),
    ),
    totp: z.object({ created_at: z.string().optional() }).optional(),
    recovery_codes: z.object({ left: z.int(), created_at: z.string().optional() }).optional(),
  }),
  async run({ params: { id } }, tools) {
    await findAccount(id, tools);
    return describeFactors(await tools.factorRecords.load(id));
  },
});

export { listSessions, listDevices, listFactors };
export const sessionActs = [
  ...[listSessions, endSession, listGrants, endGrant],
  ...[listDevices, removeDevice, listFactors],
];
