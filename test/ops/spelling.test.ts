/** What commands print for programs is spelt in one way, and in the same as what the admin API answers. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { createParty, signIn } from '../support/login.ts';
import { hireOperators } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let operators: ReturnType<typeof hireOperators>;
let person: string;
let reference: string;
beforeAll(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ people: 2, storeUrl });
  operators = hireOperators(bed, storeUrl);
  person = bed.person();
  const request = await (await createParty(bed)).begin();
  await request.finish(await signIn(createBrowser(), request, person));
  reference = bed.events.find(({ event }) => event === 'login.completed')?.reference ?? '';
});
afterAll(async () => {
  operators.dismiss();
  await bed.close();
});

/** Of these members the members are named by somebody else: apps, settings, kinds of records. */
const named = new Set(['clients', 'counts', 'signals']);

function membersIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(membersIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    name,
    ...(named.has(name) && !Array.isArray(member)
      ? Object.values(member as object).flatMap(membersIn)
      : membersIn(member)),
  ]);
}

it('in JSON that a command prints every member is in lower case, its words apart', async () => {
  const redirect = ['--redirect-uri', 'https://wiki.example/callback'];
  const soon = '2100-01-01T00:00:00Z';
  const later = '2100-01-02T00:00:00Z';
  const asked = [
    ...[
      ['accounts', 'list'],
      ['accounts', 'show', person],
      ['accounts', 'factors', person],
    ],
    ...[
      ['sessions', 'list', person],
      ['grants', 'list', person],
      ['devices', 'list', person],
    ],
    ...[
      ['audit', 'list'],
      ['audit', 'show', reference],
      ['audit', 'verify'],
    ],
    ...[
      ['policy', 'check'],
      ['policy', 'test'],
      ['policy', 'explain', reference],
    ],
    ['policy', 'replay', 'strict', '--since', '1h'],
    ['operators', 'link', '--role', 'admin'],
    ['api-keys', 'add', '--name', 'nightly', '--scope', 'accounts:read'],
    ...[
      ['api-keys', 'list'],
      ['keys', 'list'],
      ['keys', 'reseal'],
    ],
    ['clients', 'add', '--id', 'wiki', '--name', 'Wiki', ...redirect],
    ...[
      ['clients', 'list'],
      ['clients', 'show', 'wiki'],
      ['clients', 'secret', 'make'],
    ],
    ['budget', 'set', '--each-client', '--day-hard', '5'],
    ['budget', 'set', '--client', 'wiki', '--month-soft', '5'],
    ...[
      ['budget', 'show'],
      ['cost', '--by', 'reason'],
    ],
    ['outage', 'on', '--note', 'planned', '--from', soon, '--until', later],
    ...[
      ['outage', 'show'],
      ['config', 'check'],
      ['config', 'print'],
    ],
    ...[
      ['accounts', 'erase', bed.person(), '--yes'],
      ['accounts', 'erasure'],
    ],
  ];
  for (const words of asked) {
    const { status, stdout, stderr } = await operators.command(...words, '--json');
    expect({ words, status, stderr }).toMatchObject({ words, status: 0 });
    const members = membersIn(JSON.parse(stdout));
    expect(members.length, words.join(' ')).toBeGreaterThan(0);
    const others = members.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name));
    expect({ words, others }).toEqual({ words, others: [] });
  }
}, 120_000);
