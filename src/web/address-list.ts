/** A list of addresses and ranges as an operator keeps it in a file, and the quick question whether it has an address. */
import { isIPv4, isIPv6 } from 'node:net';
import { setImmediate as letOthersGoOn } from 'node:timers/promises';
import ipaddr from 'ipaddr.js';

export interface AddressList {
  /** Ranges after those that touch or overlap were made one. */
  rangeCount: number;
  /** Numbers of the lines that are neither an address nor a CIDR range, from 1 on. The others count. */
  badLines: readonly number[];
  has(address: ipaddr.IPv4 | ipaddr.IPv6): boolean;
}

/** Both ends belong to it. */
interface Range {
  first: bigint;
  last: bigint;
}

/** IPv4 lies among IPv6 where mapped addresses do, so that one order serves both and each is found in either spelling. */
const mapped = 0xffff_0000_0000n;

/** A few milliseconds' worth: a list of any length is read without a pause that people at the door would feel. */
const linesAtOnce = 2_000;

export async function parseAddressList(text: string): Promise<AddressList> {
  const badLines: number[] = [];
  const ranges: Range[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (index % linesAtOnce === linesAtOnce - 1) await letOthersGoOn();
    const end = line.indexOf('#');
    const entry = (end === -1 ? line : line.slice(0, end)).trim();
    if (entry === '') continue;
    const range = parseRange(entry);
    if (range) ranges.push(range);
    else badLines.push(index + 1);
  }
  const merged = merge(ranges);
  return {
    ...{ rangeCount: merged.length, badLines },
    has: (address) => isIn(merged, valueOf(address.toByteArray())),
  };
}

function parseRange(entry: string): Range | undefined {
  const [address = '', bits, ...more] = entry.split('/');
  const value = more.length === 0 ? parseValue(address) : undefined;
  const longest = isIPv4(address) ? 32 : 128;
  if (value === undefined) return undefined;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= longest)) return undefined;
  const free = BigInt(longest - Number(bits ?? longest));
  const first = (value >> free) << free;
  return { first, last: first + (1n << free) - 1n };
}

/** Node says what an address is: the parser's own idea is wider, to it "7" is 0.0.0.7. It would be slow for IPv4, too. */
function parseValue(address: string): bigint | undefined {
  if (isIPv4(address)) return valueOf(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%')) return undefined;
  return valueOf(ipaddr.IPv6.parse(address).toByteArray());
}

function valueOf(bytes: readonly number[]): bigint {
  if (bytes.length === 4) return mapped + BigInt(bytes.reduce((sum, byte) => sum * 256 + byte, 0));
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function merge(ranges: Range[]): Range[] {
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: Range[] = [];
  for (const range of ranges) {
    const before = merged.at(-1);
    if (!before || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) before.last = range.last;
  }
  return merged;
}

/** By halving: the last range that does not begin behind the value is the only one that can have it. */
function isIn(ranges: readonly Range[], value: bigint): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.first ?? 0n) <= value) low = middle + 1;
    else high = middle;
  }
  const candidate = ranges[low - 1];
  return candidate !== undefined && value <= candidate.last;
}
