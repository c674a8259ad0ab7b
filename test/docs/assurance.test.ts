/** Code, discovery and documents have the same classes, and none of anybody else's. */
import { globSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  acr,
  acrName,
  deviceProof,
  legsProof,
  passkeyProof,
  satisfies,
  selfieProof,
} from '../../src/domain/assurance.ts';
import { freePort } from '../support/ports.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { codeIn, documents, read, rows, section } from './support.ts';

const names: readonly string[] = Object.values(acr);
const page = read('docs/assurance.md');
const bare = (cell: string): string => cell.replaceAll('`', '').trim();
const listIn = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, one]) => one!);
/** The rows below the heading of the table. */
const tableIn = (heading: string): string[][] => rows(section(page, heading)).slice(1);

describe('the table of the classes', () => {
  test('has each class of the code once, and says of each what it proves and what not', () => {
    const table = tableIn('## The classes');
    expect(table.map(([name = '']) => bare(name)).sort()).toEqual([...names].sort());
    for (const cells of table)
      expect([cells[0], cells.filter(Boolean).length]).toEqual([cells[0], 4]);
  });

  test('has the methods that the code gives', () => {
    const amrOf = new Map(
      tableIn('## The classes').map(([name = '', amr = '']) => [bare(name), amr]),
    );
    const taken = [
      { livenessMethods: ['PASSIVE'], hasDevice: false },
      { livenessMethods: ['PASSIVE'], hasDevice: true },
      { livenessMethods: ['ACTIVE_3D'], hasDevice: true },
    ];
    const given = [
      ...taken.map((how) => selfieProof('x', { decidedAtMs: 1, ...how }, 'live')),
      deviceProof('x', 1, 'live'),
      passkeyProof('x', 1, 'live'),
    ];
    for (const { acr: name, amr } of given) expect(listIn(amrOf.get(name) ?? '')).toEqual(amr);
    const codes = legsProof('x', ['mail', 'totp'], 1, 'live');
    expect(listIn(amrOf.get(codes.acr) ?? '')).toEqual(codes.amr);
  });

  test('of which class does for which is the one of the code', () => {
    const told = tableIn('## Which class does for which').map(([have = '', wants = '']) => [
      bare(have),
      listIn(wants).sort(),
    ]);
    const kept = names.map((have) => [
      have,
      names.filter((want) => want !== have && satisfies(have, want)).sort(),
    ]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(kept));
    expect(told).toHaveLength(names.length);
  });
});

describe.each([
  ['an address', '127.0.0.1'],
  // Browsers make passkeys for hosts alone.
  ['a host', 'localhost'],
])('discovery at %s', (_, host) => {
  let issuer: string;
  let bed: Testbed;
  beforeAll(async () => {
    const port = await freePort();
    issuer = `http://${host}:${port}`;
    bed = await startTestbed({ flags: { issuer, port } });
  });
  afterAll(() => bed.close());

  test('names classes of the code alone, and all of them as tests in the sandbox', async () => {
    const response = await fetch(`${issuer}/.well-known/openid-configuration`);
    const { acr_values_supported: said } = (await response.json()) as Record<string, string[]>;
    const known = names.map((name) => acrName(name, 'sandbox'));
    expect(said).toContain(acrName(acr.selfie, 'sandbox'));
    expect(said?.includes(acrName(acr.passkey, 'sandbox'))).toBe(host === 'localhost');
    expect(said?.filter((name) => !known.includes(name))).toEqual([]);
    expect(new Set(said).size).toBe(said?.length);
  });
});

const sources = globSync('src/**/*.ts', { cwd: new URL('../..', import.meta.url) }).sort();
const examples = globSync('examples/*/*', { cwd: new URL('../..', import.meta.url) }).sort();

test.each([...documents, ...examples])('every class that %s names is one', (name) => {
  const code = codeIn(read(name)).join('\n');
  const named = code.match(/urn:didit-oidc:acr:[\w-]*\w/g) ?? [];
  expect(named.filter((one) => !names.includes(one))).toEqual([]);
});

describe('[AS-02] names of somebody else’s scheme', () => {
  const prefix = 'urn:didit-oidc:acr:';
  const ofOthers =
    /\bphrh?\b|\b[AIF]AL-?[123]\b|\bNIST\b|800-63|\beidas\b|\bloa[-:/ ]?(?:low|substantial|high|[1-4])\b|\bidentityassurance|idmanagement\.gov|urn:mace|refeds\.org|possessionorinherence|\bmodrna\b/i;

  test('the pattern finds them', () => {
    for (const name of [
      ...['phr', "'phrh'", 'http://idmanagement.gov/ns/assurance/aal/2', 'NIST AAL2', 'ial2'],
      ...['http://eidas.europa.eu/LoA/substantial', 'urn:mace:incommon:iap:silver', 'loa3'],
      ...['https://refeds.org/profile/mfa', 'SP 800-63B', 'eIDAS'],
    ]) {
      expect(name).toMatch(ofOthers);
    }
  });

  test('are given to no class but that of a passkey', () => {
    const foreign = Object.entries(acr).filter(([, name]) => !name.startsWith(prefix));
    expect(foreign).toEqual([['passkey', 'phr']]);
    for (const name of names.filter((one) => one.startsWith(prefix))) {
      expect(name).not.toMatch(ofOthers);
    }
    // A session by a face never answers a request for any of them.
    for (const name of ['phr', 'phrh']) {
      expect(names.filter((have) => have !== 'phr' && satisfies(have, name))).toEqual([]);
    }
  });

  // There is no setting that maps a class to such a name, so there is nothing that a start could warn of.
  test.each(sources)('are not in %s, besides the one of a passkey', (name) => {
    const without = read(name).replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
    const found = without.match(new RegExp(ofOthers, 'gi')) ?? [];
    expect(found).toEqual(name === 'src/domain/assurance.ts' ? ['phr'] : []);
  });
});
