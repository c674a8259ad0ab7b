/** The group of the schema that says how keys change while the provider runs; see docs/keys.md. */
import { z } from 'zod';
import * as kind from './kinds.ts';

const { setting } = kind;

export const keys = z
  .strictObject({
    publishedForSeconds: setting(
      kind.durationUpTo(30),
      'For so long a new signing key is published before it signs, so that every relying party has ' +
        'fetched it.',
      { env: 'KEYS_PUBLISHED_FOR' },
    ).prefault('1h'),
    spreadForSeconds: setting(
      kind.durationUpTo(30),
      'For so long a new key of cookies, of the store or of DPoP nonces is understood before it is ' +
        'used, so that every process has read it.',
      { env: 'KEYS_SPREAD_FOR' },
    ).prefault('10m'),
    lookEverySeconds: setting(
      kind.durationUpTo(1),
      'How often a running provider looks whether a file of its configuration has changed.',
      { env: 'KEYS_LOOK_EVERY' },
    ).prefault('5s'),
  })
  .describe('How keys change while the provider runs.');
