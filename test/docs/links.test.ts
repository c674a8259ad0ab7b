import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { codeIn, documents, exists, read } from './support.ts';

test.each(documents)('every link in %s leads to a file and a heading that are there', (name) => {
  const broken = linksIn(read(name)).filter((link) => !resolves(name, link));
  expect(broken).toEqual([]);
});

test.each(documents)('every path that %s names is there', (name) => {
  const paths = codeIn(read(name)).filter((code) =>
    /^(src|test|docs|config|views)\/[\w./-]+$/.test(code),
  );
  expect(paths.filter((path) => !exists(path))).toEqual([]);
});

test('the README links to every document', () => {
  const linked = linksIn(read('README.md'));
  const own = documents.filter((name) => name !== 'README.md' && !name.includes('decisions/'));
  expect(own.filter((name) => !linked.includes(name))).toEqual([]);
});

function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^https?:/.test(link));
}

function resolves(from: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : join(dirname(from), path);
  return exists(target) && (anchor === undefined || anchorsIn(read(target)).includes(anchor));
}

/** As GitHub makes them: lower case, without punctuation, with hyphens for spaces. */
function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
