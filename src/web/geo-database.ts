/** One database in MaxMind format, of whichever maker, and the few facts that are taken from it. */
import type ipaddr from 'ipaddr.js';
import { Reader } from 'mmdb-lib';
import { vaguenessKm } from '../domain/travel.ts';
import type { Coordinates } from '../domain/whereabouts.ts';

export type GeoSubject = 'country' | 'asn';

export interface GeoDatabase {
  /** As its maker calls it, for instance "GeoLite2-City". */
  type: string;
  builtMs: number;
  hasIpv6: boolean;
  /** @throws when the file is damaged at this very place. */
  find(address: ipaddr.IPv4 | ipaddr.IPv6): GeoFacts;
}

export interface GeoFacts {
  country: string | undefined;
  autonomousSystem: number | undefined;
  location: Coordinates | undefined;
}

const metadataMark = Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1');
/** By the format's definition the mark stands within so many bytes of the end. */
const metadataAtMost = 128 * 1024;
const gapBytes = 16;
const samples = 256;

/** @throws Error that says in a few words why these bytes are no such database. */
export function openGeoDatabase(bytes: Buffer, subject: GeoSubject): GeoDatabase {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new Error('it is packed (gzip): unpack it');
  if (!bytes.subarray(-metadataAtMost).includes(metadataMark)) {
    throw new Error('it is no complete database in MaxMind format');
  }
  const reader = open(bytes);
  const { databaseType: type, buildEpoch, ipVersion } = reader.metadata;
  if (isOfOther(type, subject)) throw new Error(`it is ${type}, which belongs elsewhere`);
  return {
    ...{ type, builtMs: buildEpoch.getTime(), hasIpv6: ipVersion === 6 },
    find(address) {
      // In a tree of IPv4 the first bits of the other family would lead to somebody else.
      if (ipVersion === 4 && address.kind() === 'ipv6') return factsOf(undefined);
      return factsOf(reader.get(address.toNormalizedString()));
    },
  };
}

function open(bytes: Buffer): Reader<never> {
  try {
    const reader = new Reader<never>(bytes);
    checkMetadata(reader.metadata, bytes);
    // A tree that leads out of the file is met by whoever looks up enough of it.
    for (let first = 0; first < samples; first += 1) reader.get(`${first}.1.1.1`);
    return reader;
  } catch (cause) {
    throw new Error('it is damaged', { cause });
  }
}

function checkMetadata(
  { databaseType, buildEpoch, ipVersion, nodeCount, searchTreeSize }: Reader<never>['metadata'],
  bytes: Buffer,
): void {
  const isKnown = typeof databaseType === 'string' && (ipVersion === 4 || ipVersion === 6);
  const hasTree = Number.isInteger(nodeCount) && nodeCount > 0;
  if (!isKnown || !hasTree || Number.isNaN(buildEpoch.getTime())) throw new Error('metadata');
  const gap = bytes.subarray(searchTreeSize, searchTreeSize + gapBytes);
  if (gap.length < gapBytes || gap.some((byte) => byte !== 0)) throw new Error('tree');
}

/** Told by its name, so that two files which were mixed up do not pass for two that know nothing. */
function isOfOther(type: string, subject: GeoSubject): boolean {
  const hasCountries = /country|city|enterprise/i.test(type);
  const hasSystems = /asn|isp|enterprise/i.test(type);
  return subject === 'country' ? hasSystems && !hasCountries : hasCountries && !hasSystems;
}

function factsOf(record: unknown): GeoFacts {
  const country = at(record, 'country', 'iso_code');
  const system =
    at(record, 'autonomous_system_number') ?? at(record, 'traits', 'autonomous_system_number');
  return {
    country: typeof country === 'string' && /^[A-Z]{2}$/.test(country) ? country : undefined,
    autonomousSystem: Number.isInteger(system) ? (system as number) : undefined,
    location: locationOf(at(record, 'location')),
  };
}

/** The middle of a country, which stands for "somewhere in it", would make travellers of people who sit still. */
function locationOf(location: unknown): Coordinates | undefined {
  const latitude = at(location, 'latitude');
  const longitude = at(location, 'longitude');
  const radiusKm = at(location, 'accuracy_radius') ?? 0;
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return undefined;
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return undefined;
  // Two ends, each as vague as this, are together as vague as travel allows for.
  return typeof radiusKm === 'number' && radiusKm <= vaguenessKm / 2
    ? { latitude, longitude }
    : undefined;
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce(
    (inner, name) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Readonly<Record<string, unknown>>)[name]
        : undefined,
    value,
  );
}
