/** What the shell offers, asked of the shell itself. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Command } from 'commander';
import { createProgram } from '../../src/ops/cli/program.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const scriptFor = (shell: string): string =>
  execFileSync(process.execPath, [mainFile, 'completion', shell], { encoding: 'utf8' });

const bash = scriptFor('bash');

/** What bash offers when Tab is pressed behind these words. */
function offered(...words: string[]): string[] {
  const all = ['didit-oidc', ...words];
  const quoted = all.map((word) => `'${word}'`).join(' ');
  const script = [
    bash,
    `COMP_WORDS=(${quoted})`,
    `COMP_CWORD=${all.length - 1}`,
    '_didit_oidc',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const said = execFileSync('bash', ['-euo', 'pipefail', '-c', script], { encoding: 'utf8' });
  return said.split('\n').filter((line) => line !== '');
}

test('bash completes commands, commands below commands, and options', () => {
  expect(offered('acc')).toEqual(['accounts']);
  expect(offered('accounts', 'inv')).toEqual(['invite']);
  expect(offered('accounts', 'invite', 'nora@example.com', '--gr')).toEqual(['--group']);
  expect(offered('didit', 'verify-webhook', '--secret')).toEqual(['--secret-file']);
});

test('bash knows every command of the program', () => {
  const places: [string[], string[]][] = [];
  const walk = (command: Command, path: string[]): void => {
    const below = command.commands.filter((one) => one.name() !== 'help');
    if (below.length > 0) places.push([path, below.map((one) => one.name())]);
    for (const one of below) walk(one, [...path, one.name()]);
  };
  walk(createProgram(), []);
  expect(places.length).toBeGreaterThan(4);
  for (const [path, names] of places) {
    expect(offered(...path, '')).toEqual(expect.arrayContaining(names));
  }
});

test('where nothing fits it goes on with files, and a value is no command', () => {
  expect(offered('backup', 'accou')).toEqual([]);
  expect(bash).toContain('complete -o default');
  expect(offered('init', '--issuer', 'accounts', '--dir')).toEqual(['--directory']);
});

test.each([
  ['zsh', '#compdef didit-oidc', "'didit-oidc accounts') words_here=("],
  ['fish', 'complete -c didit-oidc', '__didit_oidc_at didit-oidc accounts" -f -a invite'],
])('%s has a script of its own', (shell, ...parts) => {
  const script = scriptFor(shell);
  for (const part of parts) expect(script).toContain(part);
});

test('another shell is refused', () => {
  expect(() => scriptFor('csh')).toThrow();
});
