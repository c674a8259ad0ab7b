import { expect, it } from 'vitest';
import { countSealings } from '../store/sealings.ts';

it('[BD-02] no two of a million sealed portraits have a nonce or a key in common', async () => {
  const million = 1_000_000;
  expect(await countSealings(million)).toEqual({ nonces: million, keys: million });
}, 1_200_000);
