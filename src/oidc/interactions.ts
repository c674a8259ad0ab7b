/**
 * Interactions: to resume one is to take it. The library would read first and delete later, and two tabs could both
 * have read; so reading it at the resume address is what removes it, and one tab gets it.
 *
 * One time the library reads it there and leaves it: when somebody else is signed in by now, it first signs that
 * person out and then comes back to the same address. What was taken and not used up is put back.
 */
import type { Middleware } from 'koa';
import { type Adapter, type AdapterPayload, Provider, errors } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import type { Store } from '../store/store.ts';
import { lifetime, read } from './records.ts';

/** A reload, and a second tab. */
const signInsPerRequest = 3;
/** A pushed request lives for 60 seconds, and clocks may differ by 15. */
const pushedSeconds = 75;

const keyOf = (id: string): string => `Interaction:${id}`;
const takenIn = new WeakMap<object, { key: string; value: string }>();

function resumeContext(): object | undefined {
  return Provider.ctx?.oidc.route === 'resume' ? Provider.ctx : undefined;
}

export function createInteractions(store: Store): Partial<Adapter> {
  return {
    async find(id) {
      const context = resumeContext();
      if (!context) return read(store, keyOf(id));
      const value = await store.take(keyOf(id));
      if (value === undefined) return undefined;
      takenIn.set(context, { key: keyOf(id), value });
      return JSON.parse(value) as AdapterPayload;
    },

    async upsert(id, payload, expiresIn) {
      const context = resumeContext();
      if (context) takenIn.delete(context);
      else await countPushed(store, payload);
      const ttlSeconds = lifetime(expiresIn);
      await store.put(keyOf(id), JSON.stringify(payload), { ttlSeconds });
      return undefined;
    },

    async destroy(id) {
      const context = resumeContext();
      if (context) takenIn.delete(context);
      else await store.delete(keyOf(id));
      return undefined;
    },
  };
}

/** A pushed request is used up by its answer alone; until then each look at it would begin another sign-in. */
async function countPushed(store: Store, { parJti }: AdapterPayload): Promise<void> {
  if (parJti === undefined || Provider.ctx?.oidc.route !== 'authorization') return;
  const begun = await store.increment(`pushed:${parJti}`, { ttlSeconds: pushedSeconds });
  if (begun > signInsPerRequest) {
    throw new errors.InvalidRequestUri('request_uri was used too often');
  }
}

/** Around the library's routes. */
export function putBackInteractions(store: Store, clock: Clock): Middleware {
  return async function putBackInteraction(ctx, next) {
    await next();
    const taken = takenIn.get(ctx);
    if (!taken) return;
    const { exp = 0 } = JSON.parse(taken.value) as AdapterPayload;
    const ttlSeconds = lifetime(exp - clock() / 1000);
    await store.put(taken.key, taken.value, { ttlSeconds, ifAbsent: true });
  };
}
