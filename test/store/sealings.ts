/** How many different nonces and keys there are among so many sealed portraits. */
import { createPortraits } from '../../src/store/portraits.ts';

/** 96 bits are the first 16 characters of base64. */
const nonceLength = 16;

export async function countSealings(many: number): Promise<{ nonces: number; keys: number }> {
  const [nonces, keys] = [new Set<string>(), new Set<string>()];
  const store = {
    put(_key: string, value: string): Promise<string> {
      nonces.add(value.slice(0, nonceLength));
      return Promise.resolve('');
    },
  };
  const portraits = createPortraits(store as never, () => undefined);
  const ids = { id: 'enrolment', vendorData: 'opaque' };
  for (let count = 0; count < many; count += 1) {
    const { portraitKey } = await portraits.save('account', ids, Buffer.alloc(0));
    keys.add(portraitKey);
  }
  return { nonces: nonces.size, keys: keys.size };
}
