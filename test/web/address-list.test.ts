import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { parseAddressList } from '../../src/web/address-list.ts';

async function listOf(...lines: string[]) {
  const list = await parseAddressList(lines.join('\n'));
  return { ...list, has: (address: string) => list.has(ipaddr.process(address)) };
}

describe('a list of addresses', () => {
  test('has what it names, to the last address of a range and no further', async () => {
    const list = await listOf(
      ...['# who', '198.51.100.7', '203.0.113.64/26 # a range', '', '  2001:db8:5::/48  '],
      ...['192.0.2.200/25', '2001:db8:ffff::1'],
    );
    for (const address of [
      ...['198.51.100.7', '203.0.113.64', '203.0.113.127', '192.0.2.128', '192.0.2.255'],
      ...['2001:db8:5::', '2001:db8:5:ffff:ffff:ffff:ffff:ffff', '2001:db8:ffff::1'],
    ]) {
      expect(list.has(address), address).toBe(true);
    }
    for (const address of [
      ...['198.51.100.6', '198.51.100.8', '203.0.113.63', '203.0.113.128', '192.0.2.127'],
      ...['2001:db8:4:ffff::', '2001:db8:6::', '2001:db8:ffff::', '0.0.0.0', '255.255.255.255'],
      ...['::', 'ffff::'],
    ]) {
      expect(list.has(address), address).toBe(false);
    }
    expect(list).toMatchObject({ rangeCount: 5, badLines: [] });
  });

  test('makes one of what overlaps or touches, in whatever order', async () => {
    const list = await listOf('10.0.1.0/24', '10.0.0.0/24', '10.0.0.0/8', '10.9.9.9', '11.0.0.0');
    expect(list.rangeCount).toBe(1);
    expect(['10.0.0.0', '10.255.255.255', '11.0.0.0', '11.0.0.1'].map(list.has)).toEqual([
      ...[true, true, true, false],
    ]);
  });

  test('of IPv4 is the same when its addresses are written as IPv6', async () => {
    const mapped = await listOf('::ffff:198.51.100.0/120', '::ffff:c000:207');
    expect(['198.51.100.9', '192.0.2.7', '192.0.2.8'].map(mapped.has)).toEqual([true, true, false]);
    expect((await listOf('198.51.100.0/24')).has('::ffff:198.51.100.9')).toBe(true);
    expect((await listOf('198.51.100.0/24')).has('::c633:6409')).toBe(false);
  });

  test('counts lines that are something else, and uses the others', async () => {
    const bad = [
      ...['example.com', '198.51.100', '7', '0x7f.1', '010.0.0.1', '198.51.100.7:80'],
      ...['198.51.100.0/33', '198.51.100.0/', '198.51.100.0/-1', '198.51.100.0/2/4', '/24'],
      ...['2001:db8::/129', '2001:db8::%eth0', '[2001:db8::]', '2001:db8::/64.0', '::/1e1'],
      ...['198.51.100.1-198.51.100.9', '198.51.100.1 198.51.100.2', '<html>', '\0'],
    ];
    const list = await listOf('192.0.2.1', ...bad, '192.0.2.3');
    expect(list.badLines).toEqual(bad.map((_, at) => at + 2));
    expect(list.rangeCount).toBe(2);
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(list.has)).toEqual([true, false, true]);
  });

  test('is read as other systems write it', async () => {
    const list = await parseAddressList('\ufeff198.51.100.7\r\n198.51.100.9\r\n');
    expect(list).toMatchObject({ rangeCount: 2, badLines: [] });
  });

  test('of nothing has nothing', async () => {
    expect(await listOf('')).toMatchObject({ rangeCount: 0, badLines: [] });
    expect((await listOf('# nobody')).has('192.0.2.1')).toBe(false);
  });

  test('says the same as asking each range by itself', async () => {
    const byte = fc.integer({ min: 0, max: 3 });
    const address = fc.oneof(
      fc.tuple(byte, byte).map(([a, b]) => `192.0.${a}.${b}`),
      fc.tuple(byte, byte).map(([a, b]) => `2001:db8::${a}:${b}`),
    );
    const range = fc
      .tuple(address, fc.integer({ min: 0, max: 20 }))
      .map(([of, free]) => `${of}/${of.includes(':') ? 128 - free : 32 - free}`);
    await fc.assert(
      fc.asyncProperty(fc.array(range, { maxLength: 12 }), address, async (ranges, asked) => {
        const parsed = ipaddr.parse(asked);
        const expected = ranges
          .map((one) => ipaddr.parseCIDR(one))
          .some(
            ([first, bits]) =>
              first.kind() === parsed.kind() && parsed.match([first, bits] as never),
          );
        expect((await listOf(...ranges)).has(asked)).toBe(expected);
      }),
    );
  });

  test('of 100,000 lines answers in microseconds, and is read without a long pause', async () => {
    const lines = Array.from({ length: 100_000 }, (_, n) => {
      const spread = (n * 2_654_435_761) % 2 ** 32;
      const [high, low] = [Math.floor(spread / 65_536), spread % 65_536];
      if (n % 4 === 0) return `2001:${high.toString(16)}:${low.toString(16)}::/48`;
      return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
    });
    let turns = 0;
    const count = setInterval(() => (turns += 1), 0);
    const list = await parseAddressList(lines.join('\n'));
    clearInterval(count);
    expect(list).toMatchObject({ badLines: [] });
    expect(list.rangeCount).toBeGreaterThan(99_000);
    expect(turns).toBeGreaterThan(10);
    const asked = lines.map((line) => ipaddr.parse(line.split('/')[0] ?? ''));
    const beganMs = performance.now();
    expect(asked.every((address) => list.has(address))).toBe(true);
    // A fiftieth of a millisecond each, ten times what a slow machine takes; a walk along the list takes longer.
    expect(performance.now() - beganMs).toBeLessThan(asked.length * 0.02);
  });
});
