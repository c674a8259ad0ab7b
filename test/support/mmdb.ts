/** Writes databases in MaxMind format, version 2.0, as small as a test needs them. */
import ipaddr from 'ipaddr.js';

type Value = string | number | bigint | Value[] | { [key: string]: Value };

export interface SampleDatabase {
  type: string;
  builtMs?: number;
  ipVersion?: 4 | 6;
  recordBits?: 24 | 28 | 32;
  /** By CIDR range; none within another. */
  entries: Readonly<Record<string, Value>>;
}

type Child = { node: number } | { offset: number } | undefined;

export function writeDatabase(sample: SampleDatabase): Buffer {
  const { type, entries, builtMs = Date.now(), ipVersion = 6, recordBits = 28 } = sample;
  const nodes: [Child, Child][] = [[undefined, undefined]];
  const data: Buffer[] = [];
  let length = 0;
  for (const [range, value] of Object.entries(entries)) {
    insert(nodes, bitsOf(range, ipVersion), { offset: length });
    const encoded = encode(value);
    data.push(encoded);
    length += encoded.length;
  }
  const metadata = encode({
    ...{ binary_format_major_version: 2, binary_format_minor_version: 0 },
    ...{ build_epoch: BigInt(Math.floor(builtMs / 1000)), database_type: type },
    ...{ description: { en: 'A sample' }, ip_version: ipVersion, languages: ['en'] },
    ...{ node_count: nodes.length, record_size: recordBits },
  });
  const mark = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
  return Buffer.concat([
    ...nodes.map((children) => encodeNode(children, nodes.length, recordBits)),
    Buffer.alloc(16),
    ...data,
    ...[mark, metadata],
  ]);
}

/** IPv4 lies in the first branch of a tree of IPv6, behind 96 zeros. */
function bitsOf(range: string, ipVersion: 4 | 6): number[] {
  const [address, length] = ipaddr.parseCIDR(range);
  const bits = address
    .toByteArray()
    .flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((place) => (byte >> place) & 1));
  const before = address.kind() === 'ipv4' && ipVersion === 6 ? 96 : 0;
  return [...Array<number>(before).fill(0), ...bits.slice(0, length)];
}

function insert(nodes: [Child, Child][], bits: readonly number[], leaf: Child): void {
  let at = nodes[0]!;
  for (const bit of bits.slice(0, -1)) {
    let next = at[bit];
    if (next === undefined) {
      next = { node: nodes.push([undefined, undefined]) - 1 };
      at[bit] = next;
    }
    if (!('node' in next)) throw new Error('a range lies within another');
    at = nodes[next.node]!;
  }
  at[bits.at(-1)!] = leaf;
}

function encodeNode(children: [Child, Child], count: number, bits: 24 | 28 | 32): Buffer {
  const [left, right] = children.map((child) => {
    if (child === undefined) return count;
    return 'node' in child ? child.node : count + 16 + child.offset;
  }) as [number, number];
  const whole = (BigInt(left) << BigInt(bits)) | BigInt(right);
  const bytes = Buffer.from(whole.toString(16).padStart(bits / 2, '0'), 'hex');
  if (bits !== 28) return bytes;
  // The uppermost four bits of both share the byte in the middle.
  return Buffer.concat([
    ...[uint(left & 0xff_ffff, 3), Buffer.from([((left >>> 24) << 4) | (right >>> 24)])],
    uint(right & 0xff_ffff, 3),
  ]);
}

function encode(value: Value): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([control(2, text.length), text]);
  }
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    return Buffer.concat([control(9, 8), bytes]);
  }
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value >= 0)
      return Buffer.concat([control(6, 4), uint(value, 4)]);
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return Buffer.concat([control(3, 8), bytes]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(encode)]);
  const entries = Object.entries(value);
  return Buffer.concat([control(7, entries.length), ...entries.flatMap(encodeEntry)]);
}

/** Other readers insist on the width that the format gives to these. */
const shortNumbers = [
  ...['binary_format_major_version', 'binary_format_minor_version', 'ip_version', 'record_size'],
  'accuracy_radius',
];

function encodeEntry([name, value]: [string, Value]): Buffer[] {
  const isShort = typeof value === 'number' && shortNumbers.includes(name);
  return [encode(name), ...(isShort ? [control(5, 2), uint(value, 2)] : [encode(value)])];
}

/** Types above 7 stand in a byte of their own, and so does what a size has above 29. */
function control(type: number, size: number): Buffer {
  if (size > 29 + 255) throw new Error('longer than a sample needs');
  const [short, rest] = size < 29 ? [size, []] : [29, [size - 29]];
  return Buffer.from(type <= 7 ? [(type << 5) | short, ...rest] : [short, type - 7, ...rest]);
}

function uint(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
