/** How a client secret is compared: with what, and in which time. */
import * as crypto from 'node:crypto';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startTestbed } from '../support/testbed.ts';
import { basic, post } from './support.ts';

vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof crypto>();
  return { ...original, timingSafeEqual: vi.fn(original.timingSafeEqual) };
});

it('[PR-16] a client secret is compared by its digest, whole, whatever comes in', async () => {
  const bed = await startTestbed();
  onTestFinished(() => bed.close());
  const digestOf = (secret: string): string =>
    `sha256:${crypto.createHash('sha256').update(secret).digest('base64url')}`;
  const compared = vi.mocked(crypto.timingSafeEqual);
  const almost = `${bed.clientSecret.slice(0, -1)}${bed.clientSecret.endsWith('A') ? 'B' : 'A'}`;
  for (const given of [bed.clientSecret, almost, 'x', 'x'.repeat(500)]) {
    compared.mockClear();
    const fields = { grant_type: 'client_credentials' };
    const { status } = await post(`${bed.issuer}/token`, fields, basic('first', given));
    expect(status).toBe(given === bed.clientSecret ? 200 : 401);
    const pairs = compared.mock.calls.map((pair) => pair.map(String));
    expect(pairs).toContainEqual([digestOf(bed.clientSecret), digestOf(given)]);
  }
});
