/** Keys of programs for the API. Nobody gives by one what they do not have themselves. */
import { z } from 'zod';
import { type ApiKey, apiKeyInWords } from '../../store/api-keys.ts';
import { tellOfRevoked } from '../operators.ts';
import { type Act, type Actor, act, done, idParam, isoTime, pageQuery } from './act.ts';
import { Refusal } from './refusal.ts';
import type { ActTools } from './tools.ts';

const keyView = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_at: z.string(),
  created_by: z.string(),
  expires_at: z.string().optional(),
  /** A day; absent when it was never used. */
  used_on: z.string().optional(),
});

function view({ id, name, scopes, createdAtMs, createdBy, expiresAtMs, usedOn }: ApiKey) {
  return {
    ...{ id, name, scopes: [...scopes], created_by: createdBy, created_at: isoTime(createdAtMs) },
    ...(expiresAtMs === undefined ? {} : { expires_at: isoTime(expiresAtMs) }),
    ...(usedOn === undefined ? {} : { used_on: usedOn }),
  };
}

const list = act({
  ...{ id: 'api-keys.list', method: 'GET', path: '/api-keys' },
  summary: 'Keys of programs, the oldest first; never the keys themselves',
  ...{ role: 'admin', scope: 'api-keys:read' },
  query: z.strictObject(pageQuery),
  answer: z.object({ keys: z.array(keyView), next: z.string().optional() }),
  async run({ query: { limit, cursor } }, { apiKeys }) {
    const page = await apiKeys.page({ limit, after: cursor });
    if (!page) throw new Refusal('invalid', 'the cursor is none of ours');
    return { ...page, keys: page.keys.map(view) };
  },
});

/** @param scopes of all acts. */
const addWith = (scopes: readonly string[]) =>
  act({
    ...{ id: 'api-keys.add', method: 'POST', path: '/api-keys' },
    summary: 'Make a key for a program; it is shown this once',
    ...{ role: 'admin', scope: 'api-keys:write', isDangerous: true, status: 201 },
    body: z.strictObject({
      name: z
        .string()
        .trim()
        .min(1)
        .max(64)
        .regex(/^[\p{L}\p{N} ._@+-]+$/u, 'letters, digits, spaces and . _ @ + -'),
      scopes: z.array(z.enum(scopes)).min(1).max(scopes.length),
      expires_at: z.iso.datetime().optional(),
    }),
    answer: keyView.extend({ token: z.string() }),
    objectOf: ({ id }) => id,
    async run({ body }, tools, by) {
      const { apiKeys, clock } = tools;
      const lacking = body.scopes.filter((one) => by.kind === 'key' && !by.scopes?.includes(one));
      if (lacking.length > 0) {
        throw new Refusal('forbidden', `a key gives no more than it has: ${lacking.join(', ')}`);
      }
      const expiresAtMs = endFor(body.expires_at, by);
      if (expiresAtMs !== undefined && expiresAtMs <= clock()) {
        throw new Refusal('invalid', 'the key would be over at once', [
          { path: 'expires_at', message: 'lies in the past' },
        ]);
      }
      const { key, token } = await apiKeys.add({
        ...{ name: body.name, scopes: [...new Set(body.scopes)], createdBy: by.name },
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
      });
      if (!(await mayStillMake(key, by, tools))) {
        await apiKeys.revoke(key.id);
        throw new Refusal('forbidden', 'whoever makes it may not any more');
      }
      return { ...view(key), token };
    },
  });

/** Whoever takes somebody's rights away ends the keys that are there by then: one that comes later must not stay. */
async function mayStillMake(
  key: ApiKey,
  { kind, name }: Actor,
  { apiKeys, operators }: Pick<ActTools, 'apiKeys' | 'operators'>,
): Promise<boolean> {
  return kind === 'operator' ? operators.isActiveAdmin(name) : apiKeys.isMakerThere(key);
}

/** @throws Refusal where a key would make another one that outlives it. Left out, it is the same end. */
function endFor(asked: string | undefined, by: Actor): number | undefined {
  if (asked === undefined) return by.expiresAtMs;
  const endMs = Date.parse(asked);
  if (by.expiresAtMs !== undefined && endMs > by.expiresAtMs) {
    throw new Refusal('forbidden', `a key makes none that outlives it: ${isoTime(by.expiresAtMs)}`);
  }
  return endMs;
}

const revoke = act({
  ...{ id: 'api-keys.revoke', method: 'DELETE', path: '/api-keys/:id' },
  summary: 'This key counts no more, and neither do those that were made with it',
  ...{ role: 'admin', scope: 'api-keys:write' },
  params: idParam,
  answer: done.extend({
    ...{ name: keyView.shape.name, scopes: keyView.shape.scopes },
    /** The ids of those that had been made with it. */
    revoked_keys: z.array(z.string()),
  }),
  noteOf: apiKeyInWords,
  async run({ params: { id } }, { apiKeys, record, clock }, by) {
    const gone = await apiKeys.revoke(id);
    const found = gone.find((key) => key.id === id);
    const made = gone.filter((key) => key !== found);
    // Also where it was gone before: that try may have left some of them.
    tellOfRevoked(made, by.name, { record, clock });
    if (!found) throw new Refusal('not_found', 'there is no such key');
    const { name, scopes } = found;
    return {
      done: true as const,
      name,
      scopes: [...scopes],
      revoked_keys: made.map((key) => key.id),
    };
  },
});

/** @param others whose scopes a key may have besides those for keys. */
export function apiKeyActs(others: readonly Act[]): readonly Act[] {
  const scopes = new Set([...others, list, revoke].map(({ scope }) => scope));
  return [list, addWith([...scopes].sort()), revoke];
}
