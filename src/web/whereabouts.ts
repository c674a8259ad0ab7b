/**
 * What is known of an address, from files that the operator brings. Nothing here asks anybody else, and nothing here
 * keeps a login from going on: what is missing or broken is as if it had not been named.
 */
import ipaddr from 'ipaddr.js';
import { type Whereabouts, nowhere } from '../domain/whereabouts.ts';
import type { AddressList } from './address-list.ts';
import type { GeoDatabase, GeoFacts } from './geo-database.ts';
import type { KeptFile, NetworkFiles } from './network-files.ts';
import { createKeptFile, readAddressList, readGeoDatabase } from './network-files.ts';
import { networkOf } from './place.ts';
import type { Log } from './telemetry.ts';

export interface WhereaboutsSource {
  of: (address: string) => Whereabouts;
  /** Reads the files that have changed. `start` does so once a minute, until `stop`. */
  look: () => Promise<void>;
  start: () => void;
  stop: () => Promise<void>;
}

const lookEveryMs = 60_000;
/** Enough of them to find the mistake by. */
const linesNamed = 5;

/** One's own network: it is one as any other, but no file knows anything of it. */
const localRanges: ReadonlySet<string> = new Set([
  ...['loopback', 'private', 'uniqueLocal', 'linkLocal', 'deprecatedSiteLocal'],
  ...['carrierGradeNat', 'unspecified'],
]);

/** Resolves when all files that are there have been read. */
export async function createWhereabouts(
  files: NetworkFiles,
  { log }: { log: Pick<Log, 'info' | 'warn'> },
): Promise<WhereaboutsSource> {
  const keep = <T>(name: keyof NetworkFiles, read: (file: string) => Promise<T>): KeptFile<T> =>
    createKeptFile({ setting: `networks.${name}`, file: files[name] }, read, log);
  const list = (name: keyof NetworkFiles): KeptFile<AddressList> =>
    keep(name, async (file) => {
      const read = await readAddressList(file);
      const { length: count } = read.badLines;
      const about = {
        setting: `networks.${name}`,
        count,
        lines: read.badLines.slice(0, linesNamed),
      };
      if (count > 0) log.warn('lines of a list are no addresses and were left out', about);
      return read;
    });
  const country = keep('countryDatabaseFile', (file) => readGeoDatabase(file, 'country'));
  const asn = keep('asnDatabaseFile', (file) => readGeoDatabase(file, 'asn'));
  const lists = {
    ...{ tor: list('torExitsFile'), vpn: list('vpnRangesFile') },
    hosting: list('hostingRangesFile'),
  };
  const all: readonly KeptFile<unknown>[] = [country, asn, ...Object.values(lists)];

  const find = createFinder(log);
  let looking: Promise<unknown> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    // One after the other and never twice at once: each may be held in memory twice while it is replaced.
    looking ??= (async () => {
      for (const file of all) await file.look();
    })().finally(() => (looking = undefined));
    await looking;
  }

  await look();
  return {
    of(address) {
      if (!ipaddr.isValid(address)) return nowhere;
      const parsed = ipaddr.process(address);
      const network = networkOf(address);
      if (localRanges.has(parsed.range())) return { ...nowhere, network };
      const facts = find(country.content, parsed);
      return {
        ...{ network, country: facts?.country, location: facts?.location },
        autonomousSystem: find(asn.content, parsed)?.autonomousSystem,
        tor: lists.tor.content?.has(parsed) ?? false,
        vpn: lists.vpn.content?.has(parsed) ?? false,
        hosting: lists.hosting.content?.has(parsed) ?? false,
      };
    },
    look,
    start() {
      timer ??= setInterval(() => void look(), lookEveryMs).unref();
    },
    async stop() {
      clearInterval(timer);
      timer = undefined;
      await looking;
    },
  };
}

/** A database that is damaged at one place serves at the others, and is complained of once. */
function createFinder(log: Pick<Log, 'warn'>) {
  const named = new WeakSet<GeoDatabase>();
  return function find(
    database: GeoDatabase | undefined,
    address: ipaddr.IPv4 | ipaddr.IPv6,
  ): GeoFacts | undefined {
    try {
      return database?.find(address);
    } catch {
      if (database && !named.has(database)) {
        named.add(database);
        log.warn('a database of networks is damaged', { type: database.type });
      }
      return undefined;
    }
  };
}
