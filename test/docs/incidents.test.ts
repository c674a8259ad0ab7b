/** docs/incidents.md has a page for each code and each alarm; a new one without a page fails here. */
import { expect, test } from 'vitest';
import { read } from './support.ts';

const pages = read('docs/incidents.md').split(/^### /m).slice(1);
const pageOf = new Map(
  pages.map((page) => {
    const [, code = '', text = ''] = /^`(\w+)`\n([^]*?)(?=^## |(?![^]))/m.exec(page) ?? [];
    return [code, text.trim()];
  }),
);

/** The names of an object, or of a union of texts, that begins here. */
function namesIn(file: string, begin: string, end: string, form: RegExp): string[] {
  const text = read(file);
  const from = text.indexOf(begin);
  expect(from).toBeGreaterThan(-1);
  const part = text.slice(from, text.indexOf(end, from));
  return [...part.matchAll(form)].map(([, name = '']) => name);
}

const codes = namesIn('src/domain/problem.ts', 'const catalogue', '} as const', /^ {2}(\w+): \d/gm);
const alarms = namesIn('src/domain/event.ts', 'interface Alarm', 'attempt?:', /\| '(\w+)'/g);

test('the catalogues are read', () => {
  expect(codes).toContain('internal');
  expect(codes.length).toBeGreaterThan(12);
  expect(alarms).toContain('schema_drift');
  expect(alarms.length).toBeGreaterThan(8);
});

test.each([...codes, ...alarms])('%s has a page that says what to do', (code) => {
  expect(pageOf.get(code)?.length ?? 0).toBeGreaterThan(40);
});

test('no page is about a code that is none', () => {
  expect([...pageOf.keys()].sort()).toEqual([...codes, ...alarms].sort());
});
