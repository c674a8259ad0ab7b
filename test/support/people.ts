/** People by the dozen: what strangers did to one is remembered for a day, and the next test needs another. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const portrait = fileURLToPath(new URL('../../config/demo/ana.png', import.meta.url));
const demo = ['ana', 'ben', 'chiyo'];

/** An accounts file with the people of the demo and `count` others. */
export function writePeople(count: number) {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-people-'));
  const others = Array.from({ length: count }, (_, at) => `person-${at}`);
  const accounts = [...demo, ...others].map((name) => ({
    ...{ email: `${name}@example.com`, username: name, name, portrait },
    ...(name === 'ana' ? { given_name: 'Ana', family_name: 'Alves' } : {}),
    groups: name === 'ana' ? ['staff', 'kitchen'] : [],
  }));
  const file = join(directory, 'accounts.json');
  writeFileSync(file, JSON.stringify({ accounts }));
  return {
    file,
    /** The address of somebody whom nobody has been yet. */
    next(): string {
      const name = others.shift();
      if (name === undefined) throw new Error('there are not enough people in this test');
      return `${name}@example.com`;
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}
