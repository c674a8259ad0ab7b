/** What the doctor says of the files that tell what an address is. One that was not named is not missed. */
import { stat } from 'node:fs/promises';
import type { Config } from '../../config/schema.ts';
import type { AddressList } from '../../web/address-list.ts';
import type { GeoDatabase, GeoSubject } from '../../web/geo-database.ts';
import { readAddressList, readGeoDatabase } from '../../web/network-files.ts';
import { type Finding, ok, problem, reasonOf, spanOf, warning } from './finding.ts';

const oldAfterDays = 60;
const secondsPerDay = 86_400;
const linesNamed = 5;

export async function checkNetworks(networks: Config['networks'], now: number): Promise<Finding[]> {
  const { countryDatabaseFile, asnDatabaseFile } = networks;
  const { torExitsFile, vpnRangesFile, hostingRangesFile } = networks;
  const all = await Promise.all([
    databaseFindings('country database', 'country', countryDatabaseFile, now),
    databaseFindings('ASN database', 'asn', asnDatabaseFile, now),
    listFindings('Tor exits', torExitsFile, now),
    listFindings('VPN ranges', vpnRangesFile, now),
    listFindings('hosting ranges', hostingRangesFile, now),
  ]);
  return all.flat();
}

async function databaseFindings(
  name: string,
  subject: GeoSubject,
  file: string | undefined,
  now: number,
): Promise<Finding[]> {
  if (file === undefined) return [];
  let database: GeoDatabase;
  try {
    database = await readGeoDatabase(file, subject);
  } catch (error) {
    return [unusable(name, error, 'a database in MaxMind format (.mmdb)')];
  }
  const { type, builtMs, hasIpv6 } = database;
  const built = `built ${new Date(builtMs).toISOString().slice(0, 10)}`;
  const found = `${type}, ${built}${hasIpv6 ? '' : ', of IPv4 alone'}`;
  return [ofAge(name, found, (now - builtMs) / 1000)];
}

async function listFindings(
  name: string,
  file: string | undefined,
  now: number,
): Promise<Finding[]> {
  if (file === undefined) return [];
  let list: AddressList;
  let changedMs: number;
  try {
    list = await readAddressList(file);
    changedMs = (await stat(file)).mtimeMs;
  } catch (error) {
    return [unusable(name, error, 'a list with an address or a CIDR range a line')];
  }
  const { rangeCount, badLines } = list;
  const seconds = Math.max(0, (now - changedMs) / 1000);
  const found = `${rangeCount} range${rangeCount === 1 ? '' : 's'}, changed ${spanOf(seconds)} ago`;
  return [ofAge(name, found, seconds), ...(badLines.length > 0 ? [badOnes(name, badLines)] : [])];
}

function ofAge(name: string, found: string, seconds: number): Finding {
  if (seconds <= oldAfterDays * secondsPerDay) return ok(name, found);
  return warning(
    name,
    `${found}: older than ${oldAfterDays} days`,
    'Bring a newer one, as docs/operations.md says in "What is known of networks".',
  );
}

function badOnes(name: string, lines: readonly number[]): Finding {
  const named = lines.slice(0, linesNamed).join(', ');
  const more = lines.length > linesNamed ? ' and others' : '';
  return warning(
    name,
    lines.length === 1
      ? `line ${named} is no address or CIDR range and does not count`
      : `${lines.length} lines are no addresses or CIDR ranges and do not count: ${named}${more}`,
    'Correct these lines, or leave them out.',
  );
}

function unusable(name: string, error: unknown, expected: string): Finding {
  return problem(
    name,
    `counts as absent: ${reasonOf(error)}`,
    `Bring ${expected}, and let the service read it.`,
  );
}
