/** Which keys there are, and a new one in the place of one. None of them is ever shown. */
import { z } from 'zod';
import { CannotWrite } from '../keys/replace-file.ts';
import { type Keys, rotatedView } from '../keys/rotate.ts';
import { keyUses, keyView } from '../keys/uses.ts';
import { act } from './act.ts';
import { Refusal, orConflict } from './refusal.ts';
import type { ActTools } from './tools.ts';

/** What Didit makes does not come this way: it would be a secret that travels. */
const ownUses = ['signing', 'cookies', 'store', 'dpop'] as const;

const list = act({
  ...{ id: 'keys.list', method: 'GET', path: '/keys' },
  summary: 'Every key by an id that gives nothing away, and where it is in its life',
  ...{ role: 'viewer', scope: 'keys:read' },
  answer: z.object({
    keys: z.array(
      z.object({
        use: z.enum(keyUses),
        id: z.string(),
        alg: z.string().optional(),
        state: z.string(),
        since: z.string().optional(),
        /** When its state is next another one. */
        next: z.string().optional(),
      }),
    ),
    /** Those that `keys.rotate` cannot make anew here, and why. */
    fixed: z.array(z.object({ use: z.enum(ownUses), why: z.string() })),
  }),
  async run(_, tools) {
    const known = requireKeys(tools);
    const keys = await known.list();
    const reasons = known.whyFixed();
    return {
      fixed: ownUses.flatMap((use) => {
        const why = reasons[use];
        return why === undefined ? [] : [{ use, why }];
      }),
      keys: keys.map(keyView),
    };
  },
});

const rotate = act({
  ...{ id: 'keys.rotate', method: 'POST', path: '/keys/:use/rotate' },
  summary: 'Put a new key into the file of the configuration; it is used once everybody knows it',
  ...{ role: 'admin', scope: 'keys:write', isDangerous: true },
  params: z.strictObject({ use: z.enum(ownUses) }),
  answer: z.object({
    use: z.enum(keyUses),
    ids: z.array(z.string()),
    /** From when on it is used. */
    from: z.string(),
  }),
  objectOf: ({ use, ids }) => [use, ...ids].join(':'),
  async run({ params }, tools, by) {
    const work = requireKeys(tools).rotate(params.use, { by: by.name });
    return rotatedView(await orConflict(work.catch(asRefusal)));
  },
});

/** What it would have written is not for this answer. */
function asRefusal(error: unknown): never {
  if (error instanceof CannotWrite) throw new Refusal('conflict', error.message);
  throw error;
}

function requireKeys({ keys }: ActTools): Keys {
  if (keys) return keys;
  throw new Refusal(
    'conflict',
    'the configuration was given by a program, which alone can change it',
  );
}

export { list as listKeys, rotate as rotateKey };
export const keyActs = [list, rotate];
