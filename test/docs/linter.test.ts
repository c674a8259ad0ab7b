/** What only the linter can keep out of the source, tried on code that has it. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let linter: ESLint;

beforeAll(() => {
  linter = new ESLint({ cwd: root });
});

/** @returns the rules that this code breaks, as if it stood in the source. */
async function brokenBy(code: string): Promise<(string | null)[]> {
  // The types come from the project, so it has to be a file of it.
  const [found] = await linter.lintText(code, { filePath: `${root}src/web/text.ts` });
  return (found?.messages ?? []).map(({ ruleId }) => ruleId);
}

test.each([
  'export const id = String(Math.random());',
  "export const id = String(Math['random']());",
  'const { random } = Math;\nexport const id = String(random());',
  'const maths = Math;\nexport const id = String(maths.random());',
])('[PL-19] randomness that can be guessed is refused: %s', { timeout: 120_000 }, async (code) => {
  expect(await brokenBy(code)).toContain('no-restricted-syntax');
});

test('[PL-19] nor do the scripts of the pages draw lots', () => {
  const scripts = readdirSync(`${root}views/assets`).filter((name) => name.endsWith('.js'));
  expect(scripts.length).toBeGreaterThan(0);
  for (const name of scripts) {
    expect(readFileSync(`${root}views/assets/${name}`, 'utf8'), name).not.toMatch(/\bMath\b/);
  }
});

test.each([
  ['of which a few letters take for ever', 'export const slow = /^(a+)+$/;'],
  [
    'that tries every beginning',
    "export const slow = (text: string) => text.replace(/-?[^-]*$/, '');",
  ],
  ['with two parts that may share', 'export const slow = /^\\s*[\\s\\w]*!$/;'],
])('[PL-16] a pattern %s is refused', { timeout: 120_000 }, async (_name, code) => {
  expect((await brokenBy(code)).join()).toMatch(/regexp\/no-super-linear-/);
});

test('what is as it should be is not refused', { timeout: 120_000 }, async () => {
  expect(await brokenBy('export const quick = /^[a-z]+$/;\n')).toEqual([]);
});
