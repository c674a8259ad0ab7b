/**
 * docs/ holds the documents to what is there: links, names, codes and examples are compared with the program, so
 * that a change of one that forgets the other fails here.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export const documents: readonly string[] = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
  .map((name) => name.replaceAll('\\', '/'))
  .sort();

export function read(name: string): string {
  return readFileSync(root + name, 'utf8');
}

export function exists(name: string): boolean {
  return existsSync(root + name);
}

/** What stands between this heading and the next one of the same level or above. */
export function section(text: string, heading: string): string {
  const level = heading.indexOf(' ');
  const start = text.indexOf(`\n${heading}\n`);
  if (start === -1) throw new Error(`there is no heading "${heading}"`);
  const body = text.slice(start + heading.length + 2);
  const end = body.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end === -1 ? body : body.slice(0, end);
}

/** Fenced blocks, with their language. */
export function blocks(text: string): { language: string; code: string }[] {
  return [...text.matchAll(/^ *```(\w*)\n([^]*?)^ *```$/gm)].map(
    ([, language = '', code = '']) => ({ language, code }),
  );
}

/** Everything that is set as code: lines of fenced blocks, and what stands between backticks. */
export function codeIn(text: string): string[] {
  const prose = text.replace(/^ *```[^]*?^ *```$/gm, '');
  // A command that goes on in the next line is one command.
  const lines = blocks(text).flatMap(({ code }) => code.replaceAll(/\\\n\s*/g, '').split('\n'));
  return [...lines, ...[...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)];
}

/** The rows of the tables in a text, cell by cell. */
export function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => /^\|(?! ?-)/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
