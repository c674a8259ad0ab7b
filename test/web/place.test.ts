import { describe, expect, test } from 'vitest';
import { compareLocality } from '../../src/domain/locality.ts';
import { networkOf, placeOf } from '../../src/web/place.ts';

const iPhone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15';
const pixel = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)';
const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const blink = 'AppleWebKit/537.36 (KHTML, like Gecko)';

/** What the browser sends, how Didit's analysis may put it, and what both are called here. */
const browsers: [name: string, userAgent: string, family: string, os: string][] = [
  ['Chrome Windows', `${windows} ${blink} Chrome/148.0.0.0 Safari/537.36`, 'Chrome', 'Windows'],
  ['Chrome macOS', `${mac} ${blink} Chrome/148.0.0.0 Safari/537.36`, 'Chrome', 'Mac OS X'],
  [
    'Chrome Linux',
    `Mozilla/5.0 (X11; Linux x86_64) ${blink} HeadlessChrome/148.0.0.0 Safari/537.36`,
    'HeadlessChrome',
    'Linux',
  ],
  [
    'Chrome ChromeOS',
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${blink} Chrome/148.0.0.0 Safari/537.36`,
    'Chrome',
    'Chrome OS',
  ],
  ['Chrome Android', `${pixel} Chrome/148.0.0.0 Mobile Safari/537.36`, 'Chrome Mobile', 'Android'],
  [
    'Chrome iOS',
    `${iPhone} (KHTML, like Gecko) CriOS/148.0.7700.10 Mobile/15E148 Safari/604.1`,
    'Chrome Mobile iOS',
    'iOS',
  ],
  [
    'Safari iOS',
    `${iPhone} (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1`,
    'Mobile Safari',
    'iOS',
  ],
  [
    'Safari macOS',
    `${mac} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15`,
    'Safari',
    'macOS',
  ],
  [
    'Firefox Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0',
    'Firefox',
    'Windows',
  ],
  [
    'Firefox Linux',
    'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0',
    'Firefox',
    'Ubuntu',
  ],
  [
    'Firefox Android',
    'Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0',
    'Firefox Mobile',
    'Android',
  ],
  [
    'Firefox iOS',
    `${iPhone} (KHTML, like Gecko) FxiOS/150.0 Mobile/15E148 Safari/604.1`,
    'Firefox iOS',
    'iOS',
  ],
  [
    'Edge Windows',
    `${windows} ${blink} Chrome/148.0.0.0 Safari/537.36 Edg/148.0.0.0`,
    'Microsoft Edge',
    'Windows 11',
  ],
  [
    'Edge Android',
    `${pixel} Chrome/148.0.0.0 Mobile Safari/537.36 EdgA/148.0.0.0`,
    'Edge Mobile',
    'Android',
  ],
  [
    'Edge iOS',
    `${iPhone} (KHTML, like Gecko) Version/26.0 EdgiOS/148.0.0.0 Mobile/15E148 Safari/604.1`,
    'Edge Mobile',
    'iOS',
  ],
  [
    'Samsung Internet Android',
    `${pixel} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet',
    'Android',
  ],
  [
    'Opera Windows',
    `${windows} ${blink} Chrome/147.0.0.0 Safari/537.36 OPR/131.0.0.0`,
    'Opera',
    'Windows',
  ],
  [
    'Opera Android',
    `${pixel} Chrome/147.0.0.0 Mobile Safari/537.36 OPR/95.0.0.0`,
    'Opera Mobile',
    'Android',
  ],
  [
    'Opera iOS',
    `${iPhone} (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1 OPT/6.5.0`,
    'Opera Touch',
    'iOS',
  ],
  [
    'Chrome Windows',
    `${windows} ${blink} Chrome/148.0.0.0 Safari/537.36`,
    'chrome 148.0.0.0',
    'windows',
  ],
];

describe('a browser', () => {
  test.each(browsers)('[XD-07] %s is the same by its header and by Didit’s words', (...row) => {
    const [name, userAgent, family, os] = row;
    const here = placeOf('192.0.2.4', { browser: userAgent, system: userAgent });
    const seen = placeOf('192.0.2.200', { browser: family, system: os });
    expect(`${here.browser ?? ''} ${here.system ?? ''}`).toBe(name);
    expect(seen).toEqual(here);
    expect(compareLocality(here, [seen])).toBe('agrees');
  });

  test('[XD-07] and any other of another name or system are told apart', () => {
    for (const [name, userAgent] of browsers) {
      for (const [otherName, , family, os] of browsers) {
        const here = placeOf('192.0.2.4', { browser: userAgent, system: userAgent });
        const seen = placeOf('192.0.2.4', { browser: family, system: os });
        const expected = name === otherName ? 'agrees' : 'differs';
        expect(compareLocality(here, [seen]), `${name}, ${otherName}`).toBe(expected);
      }
    }
  });

  test('[XD-07] that nobody knows, or that says nothing, has no name', () => {
    for (const text of ['', 'curl/8.9.1', 'Other', 'None', '\0', 'пример']) {
      const described = { browser: text, system: text };
      const place = { network: '192.0.2/24', browser: undefined, system: undefined };
      expect(placeOf('192.0.2.4', described)).toEqual(place);
    }
  });

  test('[PL-15] is looked for in the beginning of its header alone', () => {
    const late = 'x'.repeat(512) + browsers[0]![1];
    const place = placeOf('', { browser: late, system: late });
    expect([place.browser, place.system]).toEqual([undefined, undefined]);
  });
});

describe('a network', () => {
  const network = (address: string): string | undefined => networkOf(address);

  test('of IPv4 is the first three numbers, also when it is written as IPv6', () => {
    expect(networkOf('198.51.100.9')).toBe('198.51.100/24');
    expect(network('198.51.100.255')).toBe(network('198.51.100.0'));
    expect(network('198.51.101.9')).not.toBe(network('198.51.100.9'));
    expect(networkOf('::ffff:198.51.100.9')).toBe(networkOf('198.51.100.9'));
    expect(networkOf('::ffff:c633:6409')).toBe(networkOf('198.51.100.9'));
  });

  test('of IPv6 is the first half, however it is written', () => {
    expect(networkOf('2001:db8:1:2::9')).toMatch(/\/64$/);
    expect(network('2001:db8:1:2::9')).toBe(network('2001:0DB8:1:2:ffff:ffff:ffff:ffff'));
    expect(network('2001:db8:1:2::9')).not.toBe(network('2001:db8:1:3::9'));
  });

  test('of the two families is never the same', () => {
    expect(network('32.1.13.4')).not.toBe(network('2001:d04::'));
  });

  test('of one machine with itself is one, in every spelling', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
      expect(networkOf(address)).toBe('loopback');
    }
  });

  test.each([
    '',
    'unknown',
    'example.com',
    '198.51.100.9:80',
    '[::1]',
    '198.51.100.0/24',
    ' ',
    '::g',
  ])('of "%s" is not known', (address) => {
    expect(networkOf(address)).toBeUndefined();
  });
});
