/**
 * Interactions: to resume one is to take it. The library would read first and delete later, and two tabs could both
 * have read; so reading it at the resume address is what removes it, and one tab gets it.
 *
 * One time the library reads it there and leaves it: when somebody else is signed in by now, it first signs that
 * person out and then comes back to the same address. What was taken and not used up is put back.
 */
import type { Middleware } from 'koa';
import { type Adapter, type AdapterPayload, Provider } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import type { Store } from '../store/store.ts';
import { lifetime, read } from './records.ts';

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
