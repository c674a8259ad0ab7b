/**
 * Brings requirements and tests together. Without an argument it writes the table into docs/security.md; `--check`
 * fails when the table there is another, or a requirement has no test; `--report FILE...` fails when one has no passing
 * test, or a failing one, in vitest's JSON reports.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { closedIds, closedSections } from './list.ts';

const root = new URL('../..', import.meta.url).pathname;
const page = join(root, 'docs/security.md');
const begin = '<!-- requirements: begin -->';
const end = '<!-- requirements: end -->';

interface Shown {
  file: string;
  name: string;
}

/** Ids in the square brackets at the beginning of the names of tests and of groups of tests. */
function shownBySources(): Map<string, Shown[]> {
  const shown = new Map<string, Shown[]>();
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  for (const file of files
    .filter((one) => one.endsWith('.test.ts') || one === 'store/contract.ts')
    .sort()) {
    const source = readFileSync(join(root, 'test', file), 'utf8');
    for (const [, , text = ''] of source.matchAll(
      /(['`])((?:\[[A-Z]{2}-\d\d\] )+(?:\\.|(?!\1)[^\\])*)\1/g,
    )) {
      for (const id of idsIn(text)) {
        const name = text.replace(/\[[A-Z]{2}-\d\d\] /g, '').replaceAll('\\', '');
        const list = shown.get(id) ?? [];
        shown.set(id, [...list, { file: `test/${file}`, name }]);
      }
    }
  }
  return shown;
}

function idsIn(name: string): string[] {
  return [...name.matchAll(/\[([A-Z]{2}-\d\d)\]/g)].map(([, id = '']) => id);
}

async function render(): Promise<string> {
  const shown = shownBySources();
  const parts = closedSections.map(({ title, requirements }) => {
    const rows = Object.entries(requirements).map(([id, sentence]) => {
      const tests = shown.get(id) ?? [];
      const files = new Map<string, string[]>();
      for (const { file, name } of tests) files.set(file, [...(files.get(file) ?? []), name]);
      const cells = [...files].map(([file, names]) => {
        const [first = ''] = names;
        const more = names.length > 1 ? ` and ${names.length - 1} more` : '';
        return `[${file.replace('test/', '')}](../${file}): ${escape(first)}${more}`;
      });
      return `| ${id} | ${escape(sentence)} | ${cells.join('<br>')} |`;
    });
    return `### ${title}\n\n| id | what must hold | shown by |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  const text = readFileSync(page, 'utf8');
  const [before = '', rest = ''] = text.split(begin);
  const [, after = ''] = rest.split(end);
  const written = `${before}${begin}\n\n${parts.join('\n')}\n${end}${after}`;
  const options = await resolveConfig(page);
  return format(written, { ...options, filepath: page });
}

function escape(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll('*', '\\*')
    .replaceAll('_', '\\_');
}

interface Report {
  testResults: { assertionResults: { fullName: string; status: string }[] }[];
}

function missingInReports(files: readonly string[]): string[] {
  const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);
  const tests = reports
    .flatMap(({ testResults }) => testResults)
    .flatMap(({ assertionResults }) => assertionResults);
  return [...closedIds].flatMap((id) => {
    const own = tests.filter(({ fullName }) => idsIn(fullName).includes(id));
    if (own.some(({ status }) => status === 'failed')) return [`${id} has a failing test`];
    return own.some(({ status }) => status === 'passed') ? [] : [`${id} has no passing test`];
  });
}

function fail(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
  if (lines.length > 0) process.exitCode = 1;
}

const [mode, ...files] = process.argv.slice(2);
if (mode === '--report') {
  fail(missingInReports(files));
} else {
  const wanted = await render();
  if (mode !== '--check') writeFileSync(page, wanted);
  const shown = shownBySources();
  fail([
    ...[...closedIds].filter((id) => !shown.has(id)).map((id) => `${id} has no test`),
    ...(readFileSync(page, 'utf8') === wanted
      ? []
      : ['docs/security.md is out of date: npm run generate']),
  ]);
}
