import { describe, expect, test } from 'vitest';
import { filesOf, privateJwks, productionEnv, resolved } from './support.ts';

const names = {
  COUNTRY_DATABASE_FILE: 'countryDatabaseFile',
  ASN_DATABASE_FILE: 'asnDatabaseFile',
  TOR_EXITS_FILE: 'torExitsFile',
  VPN_RANGES_FILE: 'vpnRangesFile',
  HOSTING_RANGES_FILE: 'hostingRangesFile',
} as const;

describe('files of networks', () => {
  test('need not be named', () => {
    expect(resolved({}).networks).toEqual({});
  });

  test.each(Object.entries(names))('%s that is missing keeps nobody from starting', (name, key) => {
    // The reader knows no such file, and would throw.
    const config = resolved({ env: { ...productionEnv, [name]: '/geo/none' } });
    expect(config.networks).toEqual({ [key]: '/geo/none' });
  });

  test('in a configuration file lie beside it, and can be named by another file', () => {
    const config = resolved({
      fileText: 'networks: {countryDatabaseFile: city.mmdb, vpnRangesFile: /lists/vpn.txt}',
      fileName: 'conf/c.yaml',
      env: { ...productionEnv, TOR_EXITS_FILE_FILE: '/run/name' },
      readFile: filesOf({ '/keys/jwks.json': privateJwks, '/run/name': '/lists/tor.txt\n' }),
    });
    expect(config.networks).toEqual({
      countryDatabaseFile: 'conf/city.mmdb',
      vpnRangesFile: '/lists/vpn.txt',
      torExitsFile: '/lists/tor.txt',
    });
  });
});
