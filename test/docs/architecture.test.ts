import { expect, test } from 'vitest';
import { documents, read, rows, section } from './support.ts';

const page = read('docs/architecture.md');
const decisions = documents.filter((name) => name.startsWith('docs/decisions/'));

test('the table of doors is the one that the linter keeps', () => {
  const doors = /const doors = \{\n([^]*?)\n\};/.exec(read('eslint.config.js'))?.[1] ?? '';
  const kept = [...doors.matchAll(/^ +'?([\w-]+)'?: \[([^\]]*)\],$/gm)].map(
    ([, room = '', list = '']) => [room, sorted(list.replaceAll("'", ''))],
  );
  const told = rows(section(page, '## The rooms and the doors'))
    .slice(1)
    .map(([room = '', , list = '']) => [room.replaceAll('`', ''), sorted(list)]);
  expect(kept.length).toBeGreaterThan(10);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(kept));
});

test('the decisions are numbered without a gap and listed in that order', () => {
  const numbers = decisions.map((name) =>
    name.slice('docs/decisions/'.length, -'-'.length).slice(0, 4),
  );
  expect(numbers).toEqual(decisions.map((_, at) => String(at + 1).padStart(4, '0')));
  const listed = [...page.matchAll(/\((decisions\/.+?\.md)\)/g)].map(
    ([, link = '']) => `docs/${link}`,
  );
  expect(listed).toEqual(decisions);
});

test.each(decisions)('%s has its number, its name and the four parts', (name) => {
  const text = read(name);
  const [, number, title = ''] = /^# (\d{4}): (.+)$/m.exec(text) ?? [];
  const slug = title.toLowerCase().replaceAll(',', '').replace(/[ -]+/g, '-');
  expect(name).toBe(`docs/decisions/${number}-${slug}.md`);
  const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(['Context', 'Decision', 'Consequences', 'Alternatives']);
});

function sorted(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .sort();
}
