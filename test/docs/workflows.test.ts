/** The workflows that build and release: what they use is pinned, and they may do no more than they need. */
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { exists, read } from './support.ts';

interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { permissions?: Record<string, string>; steps: Step[] }>;
}
interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

const names = ['ci', 'release'];

test.each(names)(
  '[PL-22] every action of %s is named by a commit, with its version beside it',
  (name) => {
    const text = read(`.github/workflows/${name}.yml`);
    const uses = text.split('\n').filter((line) => /\buses:/.test(line));
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses)
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  },
);

test.each(names)('[PL-22] %s may read, keeps no token, and runs what is there', (name) => {
  const { permissions, jobs } = parse(read(`.github/workflows/${name}.yml`)) as Workflow;
  expect(permissions).toEqual({ contents: 'read' });
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
  expect(checkouts.length).toBeGreaterThan(0);
  for (const { with: given } of checkouts) expect(given).toEqual({ 'persist-credentials': false });
  for (const file of steps.flatMap(({ run }) => run?.match(/(?:\.ci|scripts)\/[\w.]+/g) ?? [])) {
    expect(exists(file)).toBe(true);
  }
});

test('[PL-22] ci asks for known weaknesses, and only a release may sign', () => {
  const ci = parse(read('.github/workflows/ci.yml')) as Workflow;
  expect(Object.values(ci.jobs).flatMap(({ steps }) => steps.map(({ run }) => run))).toContain(
    'npm audit --omit=dev',
  );
  for (const job of Object.values(ci.jobs)) expect(job.permissions).toBeUndefined();
  const release = parse(read('.github/workflows/release.yml')) as Workflow;
  expect(release.jobs['release']?.permissions).toEqual({
    ...{ contents: 'read', 'id-token': 'write', attestations: 'write' },
  });
});

test('[PL-22] every package in the lock file has a checksum', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { integrity?: string; link?: boolean }>;
  };
  const without = Object.entries(packages).filter(([name, it]) => name !== '' && !it.integrity);
  expect(Object.keys(packages).length).toBeGreaterThan(300);
  expect(without.map(([name]) => name)).toEqual([]);
});
