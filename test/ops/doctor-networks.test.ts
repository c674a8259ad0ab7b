/** What the doctor says of files of networks that are as they should be, old, mixed up or broken. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkNetworks } from '../../src/ops/doctor/networks.ts';
import { writeDatabase } from '../support/mmdb.ts';

const now = Date.UTC(2026, 10, 24, 9);
const daysAgo = (days: number): number => now - days * 86_400_000;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-networks-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string, content: string | Buffer, changedMs = daysAgo(3)): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  utimesSync(file, changedMs / 1000, changedMs / 1000);
  return file;
}

const database = (type: string, builtMs: number, ipVersion: 4 | 6 = 6): Buffer =>
  writeDatabase({
    ...{ type, builtMs, ipVersion },
    entries: { '198.51.100.0/24': { country: { iso_code: 'ES' } } },
  });

async function findings(files: Parameters<typeof checkNetworks>[0]): Promise<string[]> {
  const found = await checkNetworks(files, now);
  for (const { state, advice } of found) expect(advice === undefined).toBe(state === 'ok');
  return found.map(({ name, state, found: text }) => `${state}: ${name}: ${text}`);
}

it('misses none that was not named', async () => {
  expect(await findings({})).toEqual([]);
});

it('says of each how much there is in it, and how old it is', async () => {
  expect(
    await findings({
      countryDatabaseFile: put('city', database('GeoLite2-City', daysAgo(60))),
      asnDatabaseFile: put('asn', database('DBIP-ASN-Lite (compat=GeoLite2-ASN)', daysAgo(1), 4)),
      torExitsFile: put('tor', '198.51.100.7\n198.51.100.9\n'),
      vpnRangesFile: put('vpn', '# one\n2001:db8::/32\n', daysAgo(59)),
      hostingRangesFile: put('hosting', '10.0.0.0/9\n10.128.0.0/9\n11.11.0.0/16', daysAgo(-1)),
    }),
  ).toEqual([
    'ok: country database: GeoLite2-City, built 2026-09-25',
    'ok: ASN database: DBIP-ASN-Lite (compat=GeoLite2-ASN), built 2026-11-23, of IPv4 alone',
    'ok: Tor exits: 2 ranges, changed 3 days ago',
    'ok: VPN ranges: 1 range, changed 59 days ago',
    'ok: hosting ranges: 2 ranges, changed 0 seconds ago',
  ]);
});

it('warns of what is older than sixty days, by when a database was built', async () => {
  expect(
    await findings({
      countryDatabaseFile: put('city', database('GeoLite2-City', daysAgo(61)), now),
      torExitsFile: put('tor', '198.51.100.7', daysAgo(61)),
    }),
  ).toEqual([
    'warning: country database: GeoLite2-City, built 2026-09-24: older than 60 days',
    'warning: Tor exits: 1 range, changed 61 days ago: older than 60 days',
  ]);
});

it('names lines that do not count', async () => {
  expect(
    await findings({
      torExitsFile: put('tor', 'one\n198.51.100.7'),
      vpnRangesFile: put('vpn', '198.51.100.7\na\nb\nc\nd\ne\nf'),
    }),
  ).toEqual([
    'ok: Tor exits: 1 range, changed 3 days ago',
    'warning: Tor exits: line 1 is no address or CIDR range and does not count',
    'ok: VPN ranges: 1 range, changed 3 days ago',
    'warning: VPN ranges: 6 lines are no addresses or CIDR ranges and do not count: 2, 3, 4, 5, 6 and others',
  ]);
});

it('calls what cannot be used a problem', async () => {
  const swapped = put('asn', database('GeoLite2-ASN', now));
  expect(
    await findings({
      countryDatabaseFile: swapped,
      asnDatabaseFile: put('cut', database('GeoLite2-ASN', now).subarray(0, 200)),
      torExitsFile: join(folder, 'none'),
      vpnRangesFile: put('page', '<html></html>'),
      hostingRangesFile: folder,
    }),
  ).toEqual([
    'problem: country database: counts as absent: it is GeoLite2-ASN, which belongs elsewhere',
    'problem: ASN database: counts as absent: it is no complete database in MaxMind format',
    'problem: Tor exits: counts as absent: it cannot be read (ENOENT)',
    'problem: VPN ranges: counts as absent: there is no address in it',
    'problem: hosting ranges: counts as absent: it is no file',
  ]);
});
