import { describe, expect, it } from 'vitest';
import { parseFile } from '../../src/config/document.ts';
import { settingByKey } from '../../src/config/settings.ts';
import { placeOf, withValue } from '../../src/config/write.ts';

const setting = settingByKey.get('cookies.keys')!;
const files = [
  [
    'a block',
    "# ours\ncookies:\n  keys: # newest first\n    - 'old'\n    - older\n\nmode: production\n",
  ],
  ['a flow', 'cookies: { keys: [old, "older"] }\nmode: production # stays\n'],
  ['JSON', '{"cookies":{"keys":["old"]},"mode":"production"}'],
  ['the last line', 'mode: production\ncookies:\n  keys:\n    - old'],
] as const;

describe('another value in a configuration file', () => {
  it.each(files)('of %s is there, and everything else as it was', (_, text) => {
    const changed = withValue(text, setting, ['new from 2026-12-01T00:00:00Z', 'o"l:d']);
    const { values, problems } = parseFile(changed, 'config.yaml');
    expect(problems).toEqual([]);
    expect(values.get('cookies.keys')?.value).toEqual(['new from 2026-12-01T00:00:00Z', 'o"l:d']);
    expect(values.get('mode')?.value).toBe('production');
    for (const kept of ['# ours', '# stays'].filter((one) => text.includes(one))) {
      expect(changed).toContain(kept);
    }
  });

  it('is refused where the value is an alias', () => {
    const text = 'cookies:\n  keys: &k [old]\nstore:\n  encryptionKeys: *k\n';
    const aliased = settingByKey.get('store.encryptionKeys')!;
    expect(() => withValue(text, aliased, ['new'])).not.toThrow();
    expect(() => withValue('mode: production\n', aliased, ['new'])).toThrow('cannot be exchanged');
  });
});

describe('the place of a value', () => {
  const fileText = 'cookies:\n  keys: [old]\n';
  const fileName = 'config.yaml';
  it.each([
    [{ COOKIE_KEYS: 'a' }, { in: 'environment', variable: 'COOKIE_KEYS' }],
    [{ COOKIE_KEYS_FILE: '/run/secrets/c' }, { in: 'value file', file: '/run/secrets/c' }],
    [{}, { in: 'configuration file', file: 'config.yaml' }],
  ])('with %o is %o', (env, place) => {
    expect(placeOf(setting, { env, fileName, fileText })).toEqual(place);
  });

  it('is nowhere when nobody says anything', () => {
    expect(placeOf(setting, { env: {}, fileName, fileText: '' })).toEqual({ in: 'nowhere' });
    expect(placeOf(setting, { env: {}, fileName: undefined, fileText: '' })).toEqual({
      in: 'nowhere',
    });
  });
});
