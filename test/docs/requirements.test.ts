/** The table of requirements is itself held against the tests, and the report of a run against the table. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { closedIds } from '../requirements/list.ts';

const program = fileURLToPath(new URL('../requirements/table.ts', import.meta.url));

function run(...args: string[]) {
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  return { status, said: stderr.trim().split('\n').filter(Boolean) };
}

/** The report of a run in which these tests ended so. */
function reportOf(tests: { fullName: string; status: string }[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-report-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'report.json');
  writeFileSync(file, JSON.stringify({ testResults: [{ assertionResults: tests }] }));
  return file;
}

describe('[RL-11] the table of requirements', () => {
  test('has a test on every line, and is the one that the tests make', () => {
    expect(run('--check')).toEqual({ status: 0, said: [] });
  });

  const passed = [...closedIds].map((id) => ({ fullName: `[${id}] holds`, status: 'passed' }));

  test('is satisfied by a run in which every line has a test that passed', () => {
    expect(run('--report', reportOf(passed))).toEqual({ status: 0, said: [] });
  });

  test('names a line whose test did not run, and one of whose tests failed', () => {
    const others = passed.filter(({ fullName }) => !fullName.startsWith('[WH-08]'));
    const report = reportOf([...others, { fullName: 'a group [XD-03] breaks', status: 'failed' }]);
    expect(run('--report', report)).toEqual({
      status: 1,
      said: ['XD-03 has a failing test', 'WH-08 has no passing test'],
    });
  });
});
