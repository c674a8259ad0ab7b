/** Which keys there are and where each is in its life; never a key itself. */
import { listKeys, rotateKey } from '../../acts/keys.ts';
import { Refusal } from '../../acts/refusal.ts';
import { type Choice, type ConsolePage, form } from '../page.ts';

/** What they are called here, and what becomes of the old one when there is a new one. */
const uses = {
  signing: {
    name: 'Keys that sign tokens',
    rotation:
      'A rotation publishes a new one at once and signs with it later, when every app had time to read it. The old one stays published for as long as anything that it signed is good.',
  },
  cookies: {
    name: 'Keys that sign cookies',
    rotation:
      'A rotation signs with a new one within minutes. The old one is still believed until the longest session is over.',
  },
  store: {
    name: 'Keys that seal the store',
    rotation:
      'A rotation seals with a new one within minutes. What lies there stays sealed with the old one, which is needed until everything is sealed anew: didit-oidc keys reseal.',
  },
  dpop: {
    name: 'Secret of the DPoP nonces',
    rotation: 'A rotation makes new nonces within minutes; apps fetch one by themselves.',
  },
  webhook: {
    name: 'Secrets of Didit’s webhook',
    rotation: 'Made at Didit, and brought here by: didit-oidc keys rotate webhook.',
  },
  didit: {
    name: 'API key of Didit',
    rotation: 'Made at Didit, and brought here by: didit-oidc keys rotate didit.',
  },
} as const satisfies Record<string, { name: string; rotation: string }>;

const rotated = ['signing', 'cookies', 'store', 'dpop'] as const;
const choices: readonly Choice[] = rotated.map((use) => [use, uses[use].name]);

export const keys: ConsolePage = {
  ...{ name: 'keys', path: '/keys', inMenu: 'Keys', role: 'viewer' },
  forms: [
    form({
      ...{ name: 'rotate', act: rotateKey, button: 'Make a new key', title: 'Rotate a key' },
      said: 'There is a new key. It is used once everybody knows it; nobody is signed out by it.',
      fields: [{ name: 'use', label: 'Which keys', type: { choose: choices } }],
      input: (values) => ({ params: { use: values.get('use') } }),
      done: ({ from }) => ({ to: '/console/keys', once: { from } }),
    }),
  ],
  async show({ look, once }) {
    const found = await look(listKeys).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'conflict') return { why: error.told.detail };
      throw error;
    });
    if ('why' in found) return { title: 'Keys', data: found };
    const { keys: all, fixed } = found;
    const kinds = Object.entries(uses).map(([use, words]) => ({
      ...{ ...words, use },
      keys: all.filter((key) => key.use === use),
      fixed: fixed.find((one) => one.use === use)?.why,
    }));
    const offered = choices.filter(([use]) => !fixed.some((one) => one.use === use));
    return { title: 'Keys', data: { kinds, offered, once } };
  },
};
