/** The group of the schema that names files of what is known of networks; src/web/whereabouts.ts reads them. */
import { z } from 'zod';
import * as kind from './kinds.ts';

const { setting } = kind;

/** Logins go on without them, so a file that is missing keeps nobody from starting; the doctor tells. */
const about = { file: true, mayBeMissing: true } as const;

export const networks = z
  .strictObject({
    countryDatabaseFile: setting(
      kind.fileName,
      'A database in MaxMind format (.mmdb) of countries, or of cities, which have coordinates too.',
      { env: 'COUNTRY_DATABASE_FILE', ...about, example: 'city.mmdb' },
    ).optional(),
    asnDatabaseFile: setting(
      kind.fileName,
      'A database in MaxMind format (.mmdb) of autonomous systems.',
      { env: 'ASN_DATABASE_FILE', ...about, example: 'asn.mmdb' },
    ).optional(),
    torExitsFile: setting(
      kind.fileName,
      'Addresses at which Tor leaves its network: an address or CIDR range a line, `#` for remarks.',
      { env: 'TOR_EXITS_FILE', ...about, example: 'tor-exits.txt' },
    ).optional(),
    vpnRangesFile: setting(kind.fileName, 'Networks of VPN services, written in the same way.', {
      env: 'VPN_RANGES_FILE',
      ...about,
      example: 'vpn.txt',
    }).optional(),
    hostingRangesFile: setting(
      kind.fileName,
      'Networks of data centres, written in the same way.',
      {
        env: 'HOSTING_RANGES_FILE',
        ...about,
        example: 'hosting.txt',
      },
    ).optional(),
  })
  .describe(
    'Files that say what an address is. Whoever runs the service brings them; they are read again when they change.',
  );
