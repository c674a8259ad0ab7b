/** Files as an operator brings them, replaces them and breaks them. */
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { nowhere } from '../../src/domain/whereabouts.ts';
import { networkOf } from '../../src/web/place.ts';
import type { NetworkFiles } from '../../src/web/network-files.ts';
import { createWhereabouts } from '../../src/web/whereabouts.ts';
import { type SampleDatabase, writeDatabase } from '../support/mmdb.ts';

const madrid = {
  country: { iso_code: 'ES', names: { en: 'Spain', ja: 'スペイン' } },
  location: { latitude: 40.4168, longitude: -3.7038, accuracy_radius: 20 },
};
const cities: SampleDatabase = {
  type: 'Sample-City',
  entries: {
    '198.51.100.0/24': madrid,
    '203.0.113.0/25': { country: { iso_code: 'JP' } },
    '2001:db8:1::/48': { ...madrid, subdivisions: [{ iso_code: 'MD' }] },
  },
};
const systems: SampleDatabase = {
  type: 'Sample-ASN',
  entries: {
    '198.51.0.0/16': { autonomous_system_number: 64_500, autonomous_system_organization: 'One' },
    '2001:db8::/32': { autonomous_system_number: 4_200_000_000 },
  },
};

let folder: string;
let logged: (readonly [string, unknown])[];
const log = {
  info: (message: string, fields?: object) => void logged.push([message, fields]),
  warn: (message: string, fields?: object) => void logged.push([message, fields]),
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'whereabouts-'));
  logged = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const withoutByte = (bytes: Buffer, at: number): Buffer =>
  Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);

/** Replaces it as one should. */
function put(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
  return file;
}

const read = (files: NetworkFiles) => createWhereabouts(files, { log });
const complaints = (): unknown[] =>
  logged.filter(([message]) => message.includes('cannot be used')).map(([, fields]) => fields);

describe('of an address', () => {
  test('all that the files say is known', async () => {
    const { of } = await read({
      countryDatabaseFile: put('city.mmdb', writeDatabase(cities)),
      asnDatabaseFile: put('asn.mmdb', writeDatabase(systems)),
      torExitsFile: put('tor', '198.51.100.7\n'),
      vpnRangesFile: put('vpn', '203.0.113.0/24\n'),
      hostingRangesFile: put('hosting', '2001:db8:1::/48\n'),
    });
    const location = { latitude: 40.4168, longitude: -3.7038 };
    const none = { tor: false, vpn: false, hosting: false };
    expect(of('198.51.100.7')).toEqual({
      ...{ network: '198.51.100/24', country: 'ES', autonomousSystem: 64_500, location },
      ...{ ...none, tor: true },
    });
    expect(of('203.0.113.9')).toEqual({
      ...{ network: '203.0.113/24', country: 'JP', autonomousSystem: undefined },
      ...{ location: undefined, ...none, vpn: true },
    });
    expect(of('2001:db8:1::9')).toEqual({
      ...{ network: '32.1.13.184.0.1.0.0/64', country: 'ES', autonomousSystem: 4_200_000_000 },
      ...{ location, ...none, hosting: true },
    });
    expect(of('203.0.113.200')).toMatchObject({ country: undefined, vpn: true });
    expect(of('::ffff:198.51.100.7')).toEqual(of('198.51.100.7'));
    expect(complaints()).toEqual([]);
  });

  test('its block alone is known without any files', async () => {
    const { of } = await read({});
    expect(of('198.51.100.7')).toEqual({ ...nowhere, network: '198.51.100/24' });
    expect(logged).toEqual([]);
  });

  test.each([
    ...['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1'],
    ...['169.254.0.1', '100.64.0.1', 'fd00::1', 'fe80::1', 'fe80::1%eth0', '0.0.0.0', '::'],
    ...['', 'unknown', 'example.com', '198.51.100.7:80', '[2001:db8:1::9]', '198.51.100.0/24'],
  ])('nothing but the block is known of "%s", whatever the files say', async (address) => {
    const everywhere = '0.0.0.0/1\n128.0.0.0/1\n::/1\n8000::/1';
    const { of } = await read({
      countryDatabaseFile: put(
        'city.mmdb',
        writeDatabase({ type: 'City', entries: { '::/1': madrid, '8000::/1': madrid } }),
      ),
      torExitsFile: put('tor', everywhere),
    });
    expect(of('198.51.100.7')).toMatchObject({ country: 'ES', tor: true });
    expect(of(address)).toEqual({ ...nowhere, network: networkOf(address) });
  });

  test.each([24, 28, 32] as const)('a database is read with records of %d bits', async (bits) => {
    const countryDatabaseFile = put('c', writeDatabase({ ...cities, recordBits: bits }));
    const { of } = await read({ countryDatabaseFile });
    expect(of('198.51.100.7').country).toBe('ES');
    expect(of('203.0.113.1').country).toBe('JP');
    expect(of('2001:db8:1::9').country).toBe('ES');
    expect(of('2001:db8:2::9').country).toBeUndefined();
  });

  test('a database of IPv4 alone says nothing of IPv6', async () => {
    // 2001:d000:: begins with the same bits as 32.1.208.0.
    const entries = { '32.1.208.0/24': madrid };
    const { of } = await read({
      countryDatabaseFile: put('c', writeDatabase({ type: 'City', ipVersion: 4, entries })),
    });
    expect(of('32.1.208.9').country).toBe('ES');
    expect(of('2001:d000::9').country).toBeUndefined();
  });

  test('a location that is vague, or nowhere on the globe, is none', async () => {
    const location = (changes: object) => ({ location: { ...madrid.location, ...changes } });
    const { of } = await read({
      countryDatabaseFile: put(
        'c',
        writeDatabase({
          type: 'City',
          entries: {
            '198.51.100.0/32': location({ accuracy_radius: 100 }),
            '198.51.100.1/32': location({ accuracy_radius: 101 }),
            '198.51.100.2/32': location({ latitude: 90.5 }),
            '198.51.100.3/32': location({ longitude: 'west' }),
            '198.51.100.4/32': { location: 'somewhere', country: 'ES' },
            '198.51.100.5/32': { country: { iso_code: 'Spain' } },
          },
        }),
      ),
    });
    expect(of('198.51.100.0').location).toEqual({ latitude: 40.4168, longitude: -3.7038 });
    for (const last of [1, 2, 3, 4, 5]) {
      expect(of(`198.51.100.${last}`), `${last}`).toEqual({ ...nowhere, network: '198.51.100/24' });
    }
  });
});

describe('a file that cannot be used', () => {
  const whole = writeDatabase(cities);

  test.each<[string, string | Buffer, string]>([
    ['is cut off', whole.subarray(0, whole.length / 2), 'it is no complete database'],
    ['lost its beginning', whole.subarray(64), 'it is damaged'],
    ['lost its tree', Buffer.concat([Buffer.alloc(64, 0xee), whole.subarray(64)]), 'it is damaged'],
    ['lost a byte', withoutByte(whole, whole.indexOf(Buffer.alloc(16))), 'it is damaged'],
    ['is packed', gzipSync(whole), 'it is packed'],
    ['is a page', '<html>Too many requests</html>', 'it is no complete database'],
    ['is empty', '', 'it is no complete database'],
    ['is of systems', writeDatabase(systems), 'it is Sample-ASN, which belongs elsewhere'],
  ])('since it %s is as none, and is complained of', async (_name, content, reason) => {
    const { of } = await read({ countryDatabaseFile: put('c', content) });
    expect(of('198.51.100.7')).toEqual({ ...nowhere, network: '198.51.100/24' });
    expect(complaints()).toEqual([
      {
        setting: 'networks.countryDatabaseFile',
        reason: expect.stringContaining(reason) as string,
        instead: 'nothing',
      },
    ]);
  });

  test('since it is of countries is no database of systems', async () => {
    const { of } = await read({ asnDatabaseFile: put('asn', whole) });
    expect(of('198.51.100.7').autonomousSystem).toBeUndefined();
    expect(complaints()).toMatchObject([{ reason: 'it is Sample-City, which belongs elsewhere' }]);
  });

  test.each([
    ['a page', '<html>\n<p>Too many requests\n</html>', 'there is no address in it'],
    ['empty', '', 'there is no address in it'],
    ['packed', gzipSync('198.51.100.7\n'), 'there is no address in it'],
  ])('since the list is %s is as none', async (_name, content, reason) => {
    const { of } = await read({ torExitsFile: put('tor', content) });
    expect(of('198.51.100.7').tor).toBe(false);
    expect(complaints()).toMatchObject([{ setting: 'networks.torExitsFile', reason }]);
  });

  test('since it is missing, or a folder, keeps nobody from starting', async () => {
    const torExitsFile = join(folder, 'none');
    const { of } = await read({ torExitsFile, vpnRangesFile: folder });
    expect(of('198.51.100.7')).toMatchObject({ tor: false, vpn: false });
    expect(complaints()).toMatchObject([
      { setting: 'networks.torExitsFile', reason: 'it cannot be read (ENOENT)' },
      { setting: 'networks.vpnRangesFile', reason: 'it is no file' },
    ]);
  });

  test('at one place serves at the others', async () => {
    const damaged = Buffer.from(whole);
    damaged[damaged.indexOf('JP') - 1] = 0;
    const { of } = await read({ countryDatabaseFile: put('c', damaged) });
    for (let times = 0; times < 2; times += 1) {
      expect(of('203.0.113.1')).toEqual({ ...nowhere, network: '203.0.113/24' });
    }
    expect(of('198.51.100.7').country).toBe('ES');
    const message = 'a database of networks is damaged';
    expect(logged.filter(([text]) => text === message)).toEqual([
      [message, { type: 'Sample-City' }],
    ]);
  });

  test('in some lines is used for the others, and the lines are named', async () => {
    const { of } = await read({ torExitsFile: put('tor', 'tor\n198.51.100.7\n\nexit\n') });
    expect(of('198.51.100.7').tor).toBe(true);
    expect(logged).toContainEqual([
      'lines of a list are no addresses and were left out',
      { setting: 'networks.torExitsFile', count: 2, lines: [1, 4] },
    ]);
  });
});

describe('a file that changes', () => {
  test('is read again, and one that did not is not', async () => {
    const files = {
      torExitsFile: put('tor', '198.51.100.7\n'),
      countryDatabaseFile: put('c', writeDatabase(cities)),
    };
    const { of, look } = await read(files);
    expect(logged).toHaveLength(2);
    await look();
    expect(logged).toHaveLength(2);
    put('tor', '198.51.100.8\n');
    put(
      'c',
      writeDatabase({ ...cities, entries: { '198.51.100.0/24': { country: { iso_code: 'FR' } } } }),
    );
    await look();
    expect(logged).toHaveLength(4);
    expect(of('198.51.100.7')).toMatchObject({ tor: false, country: 'FR' });
    expect(of('198.51.100.8').tor).toBe(true);
  });

  test('is noticed also when it is as long and as old as the one before', async () => {
    const torExitsFile = put('tor', '198.51.100.7\n');
    utimesSync(torExitsFile, 1_790_000_000, 1_790_000_000);
    const { of, look } = await read({ torExitsFile });
    put('tor', '198.51.100.8\n');
    utimesSync(torExitsFile, 1_790_000_000, 1_790_000_000);
    await look();
    expect(of('198.51.100.8').tor).toBe(true);
  });

  test('into a broken one leaves the last good one in force until it is mended', async () => {
    const files = {
      torExitsFile: put('tor', '198.51.100.7\n'),
      countryDatabaseFile: put('c', writeDatabase(cities)),
    };
    const { of, look } = await read(files);
    put('tor', '');
    put('c', writeDatabase(cities).subarray(0, 99));
    // However often it is looked at, it is told once.
    for (let times = 0; times < 3; times += 1) await look();
    expect(of('198.51.100.7')).toMatchObject({ tor: true, country: 'ES' });
    expect(complaints()).toMatchObject([
      { setting: 'networks.countryDatabaseFile', instead: 'the last good one' },
      { setting: 'networks.torExitsFile', instead: 'the last good one' },
    ]);
    rmSync(files.torExitsFile);
    await look();
    expect(of('198.51.100.7').tor).toBe(true);
    put('tor', '198.51.100.9');
    await look();
    expect([of('198.51.100.7').tor, of('198.51.100.9').tor]).toEqual([false, true]);
  });

  test('into one that is there, after the start, is used from then on', async () => {
    const { of, look } = await read({ torExitsFile: join(folder, 'tor') });
    put('tor', '198.51.100.7');
    await look();
    expect(of('198.51.100.7').tor).toBe(true);
  });

  test('is looked at once a minute, from the start to the stop', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const torExitsFile = put('tor', '198.51.100.7\n');
    const { of, start, stop } = await read({ torExitsFile });
    expect(vi.getTimerCount()).toBe(0);
    start();
    start();
    expect(vi.getTimerCount()).toBe(1);
    put('tor', '198.51.100.8\n');
    vi.advanceTimersByTime(60_000);
    await expect.poll(() => of('198.51.100.8').tor).toBe(true);
    await stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
