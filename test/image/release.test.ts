/**
 * scripts/release.sh, on a repository of the test's own with what lies here: a dry run, signed with a key of its own, where
 * an earlier one has left its files.
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyRepository } from './stack.ts';

const place = mkdtempSync(join(tmpdir(), 'didit-oidc-release-'));
const repository = join(place, 'repository');
const key = join(place, 'key');
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const name = `didit-oidc-${version}`;
const output = join(repository, 'release', version);

let said: string;

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' });

function release(...args: string[]): Promise<{ status: number | null; said: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      join(repository, 'scripts/release.sh'),
      args,
      { env: { ...process.env, SSH_KEY: key }, maxBuffer: 1 << 26 },
      (_, stdout, stderr) => resolve({ status: child.exitCode, said: stdout + stderr }),
    );
  });
}

beforeAll(async () => {
  await copyRepository(repository, []);
  git('init', '--quiet', '--initial-branch', 'main');
  git('config', 'user.name', 'A test');
  git('config', 'user.email', 'test@example.com');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'What lies here');
  git('tag', `v${version}`);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', key]);
  mkdirSync(output, { recursive: true });
  for (const left of [`${name}.provenance.json`, 'didit-oidc-0.0.1.tgz', 'SHA256SUMS.minisig']) {
    writeFileSync(join(output, left), 'of an earlier run');
  }
  const outcome = await release('--dry-run');
  expect(outcome).toMatchObject({ status: 0 });
  said = outcome.said;
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

test('[PL-22] a release has the package, the source, the bill of materials, provenance and checksums', () => {
  expect(readdirSync(output).sort()).toEqual([
    ...['SHA256SUMS', 'SHA256SUMS.sig', `${name}-source.tar.gz`],
    ...[`${name}.cdx.json`, `${name}.provenance.json`, `${name}.tgz`],
  ]);
  const sums = readFileSync(join(output, 'SHA256SUMS'), 'utf8').trim().split('\n');
  expect(sums).toHaveLength(4);
  for (const line of sums) {
    const [sum, file = ''] = line.split('  ');
    expect(
      createHash('sha256')
        .update(readFileSync(join(output, file)))
        .digest('hex'),
    ).toBe(sum);
  }
});

test('[PL-22] the bill of materials names every production package with its version, and no other', () => {
  const bill = JSON.parse(readFileSync(join(output, `${name}.cdx.json`), 'utf8')) as {
    bomFormat: string;
    metadata: { component: { name: string; version: string } };
    components: { name: string; version: string; purl: string }[];
  };
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'didit-oidc', version } },
  });
  const listed = new Map(bill.components.map((it) => [it.name, it]));
  for (const [dependency, wanted] of Object.entries(manifest.dependencies)) {
    expect(listed.get(dependency)).toMatchObject({ version: wanted });
  }
  expect(listed.has('vitest')).toBe(false);
});

test('[PL-22] the package holds the compiled program, and neither tests nor anything of this machine', () => {
  const files = execFileSync('tar', ['-tzf', join(output, `${name}.tgz`)], { encoding: 'utf8' });
  expect(files).toContain('package/dist/main.js\n');
  expect(files).toContain('package/views/locales/en.json\n');
  expect(files).not.toMatch(/package\/(test|src|node_modules)\/|\.env/);
});

test('[PL-22] provenance says from which commit each file is', () => {
  const statement = JSON.parse(readFileSync(join(output, `${name}.provenance.json`), 'utf8')) as {
    subject: { name: string; digest: { sha256: string } }[];
    predicate: { buildDefinition: { resolvedDependencies: { digest: object }[] } };
  };
  expect(statement.subject.map((it) => it.name)).toEqual([
    ...[`${name}-source.tar.gz`, `${name}.cdx.json`, `${name}.tgz`],
  ]);
  const [source] = statement.predicate.buildDefinition.resolvedDependencies;
  expect(source?.digest).toEqual({ gitCommit: git('rev-parse', 'HEAD').trim() });
});

test('[PL-22] [RL-12] the checksums are signed, and an altered one is noticed', () => {
  const signers = join(place, 'signers');
  writeFileSync(signers, `release@example.com ${readFileSync(`${key}.pub`, 'utf8')}`);
  const verify = (): string =>
    execFileSync(
      'ssh-keygen',
      [
        ...['-Y', 'verify', '-n', 'didit-oidc-release', '-f', signers, '-I', 'release@example.com'],
        ...['-s', join(output, 'SHA256SUMS.sig')],
      ],
      { input: readFileSync(join(output, 'SHA256SUMS')), encoding: 'utf8' },
    );
  expect(verify()).toContain('Good "didit-oidc-release" signature');
  appendFileSync(join(output, 'SHA256SUMS'), '\n');
  expect(verify).toThrow();
});

test('it says what was not done', () => {
  expect(said).toContain('not done: no image was built: --image NAME');
  expect(said).toContain('a dry run: no release');
  expect(said).toContain('done: SHA256SUMS.sig: signed');
});

test('[PL-22] where something lies already nothing is added to it', async () => {
  const elsewhere = join(place, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'didit-oidc-0.0.1.tgz'), 'of somebody else');
  const refused = await release('--dry-run', '--output', elsewhere);
  expect(refused).toMatchObject({ status: 1 });
  expect(refused.said).toContain(`${elsewhere} is not empty`);
  expect(readdirSync(elsewhere)).toEqual(['didit-oidc-0.0.1.tgz']);
});

test('[PL-22] a tree with changes, or a commit without its tag, is no release', async () => {
  git('tag', '--delete', `v${version}`);
  const untagged = await release();
  expect(untagged).toMatchObject({ status: 1 });
  expect(untagged.said).toContain(`the commit has no tag v${version}`);
  git('tag', `v${version}`);
  writeFileSync(join(repository, 'README.md'), 'changed');
  const changed = await release();
  expect(changed).toMatchObject({ status: 1 });
  expect(changed.said).toContain('changes that are not committed');
  // What was made before is still there.
  expect(readdirSync(output)).toContain(`${name}.tgz`);
});
