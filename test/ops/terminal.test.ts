/** What others wrote, as the commands print it for people. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hireOperators, openRecords } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let operators: ReturnType<typeof hireOperators>;
let records: Awaited<ReturnType<typeof openRecords>>;
beforeAll(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ storeUrl });
  operators = hireOperators(bed, storeUrl);
  records = await openRecords(bed);
});
afterAll(async () => {
  await records.store.close();
  operators.dismiss();
  await bed.close();
});

/** Up a line and wipe it; a new title; the newer sequence of one character; a line of its own; turned around. */
const name = '\u001b[1A\u001b[2K\u001b]0;owned\u0007\u009b2KWiki\nfake line\u2028\u202eknaB';

test('[PL-15] what an app is called steers no terminal, and is no line of its own', async () => {
  const found = await records.reviews.open({
    ...{ reference: 'AAAA-2222', attempt: 'a', account: 'somebody', kind: 'login' },
    ...{ reason: 'policy', client: { id: 'first', name } },
  });
  const shown = ['list', `show ${found?.id}`].map((line) => line.split(' '));
  for (const args of shown) {
    const { status, stdout } = await operators.reviews(...args);
    expect([status, stdout.includes('Wiki')]).toEqual([0, true]);
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|[\u2028\u202e]/u);
    expect(stdout).not.toMatch(/^fake line/m);
    expect(stdout).toContain('\\u001b[2K');
  }
  const { stdout } = await operators.reviews('list', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ reviews: [{ client: name }] });
});
