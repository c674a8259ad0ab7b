/** Which browser, on which system, in which network: the coarse facts that locality compares. */
import ipaddr from 'ipaddr.js';
import type { Place } from '../domain/locality.ts';

/** The first that matches counts: most browsers also name those they descend from. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bedg(e|a|ios)?\b/i, 'Edge'],
  [/samsung/i, 'Samsung Internet'],
  [/\bop[rt]\/|opera/i, 'Opera'],
  [/firefox|fxios/i, 'Firefox'],
  [/chrome|crios|chromium/i, 'Chrome'],
  [/safari/i, 'Safari'],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/windows/i, 'Windows'],
  [/android/i, 'Android'],
  [/iphone|ipad|ipod|\bios\b/i, 'iOS'],
  [/mac ?os|macintosh/i, 'macOS'],
  [/\bcros\b|chrome ?os/i, 'ChromeOS'],
  [/linux|ubuntu|debian|fedora/i, 'Linux'],
];

function nameIn(text: string, known: readonly (readonly [RegExp, string])[]): string | undefined {
  return known.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * @param described a User-Agent header, or what Didit calls the browser and the system: the same names come out.
 */
export function placeOf(address: string, described: { browser: string; system: string }): Place {
  return {
    network: networkOf(address),
    browser: nameIn(described.browser.slice(0, 512), browsers),
    system: nameIn(described.system.slice(0, 512), systems),
  };
}

/** IPv4 by /24, IPv6 by /64: what a provider as a rule gives to one household or company. */
export function networkOf(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return undefined;
  const parsed = ipaddr.process(address);
  // One machine's own addresses are one place, whichever family it used.
  if (parsed.range() === 'loopback') return 'loopback';
  const bits = parsed.kind() === 'ipv4' ? 24 : 64;
  const network = parsed
    .toByteArray()
    .slice(0, bits / 8)
    .join('.');
  return `${network}/${bits}`;
}
