/** Another way in, for tests: a code that somebody would get by mail, and here is looked up in a list. */
import type { Factor } from '../../src/fallback/factor.ts';

export function createTestFactor() {
  const sent: { email: string | undefined; code: string }[] = [];
  const factor: Factor = {
    name: 'test',
    amr: ['otp'],
    begin({ email }) {
      sent.push({ email, code: String(100_000 + sent.length) });
      return Promise.resolve();
    },
    verify({ email }, answer) {
      const newest = sent.findLast((one) => one.email === email);
      const isRight = newest?.code === answer;
      if (isRight) newest.code = 'used';
      return Promise.resolve(isRight);
    },
  };
  return { factor, sent };
}
