/** Another Node than ours: npm installs one for `npm run …`, but `node` by itself is what the machine has. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A process that takes itself for this version before our first line runs. */
function startedBy(version: string) {
  const versions = JSON.stringify({ ...process.versions, node: version });
  const pretend = `Object.defineProperty(process, 'versions', { value: ${versions} })`;
  const before = `data:text/javascript,${encodeURIComponent(pretend)}`;
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const args = ['--import', before, mainFile, '--version'];
    const child = execFile(process.execPath, args, { env: {} }, (_, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

test('an older Node is told which one it takes, before anything is imported that it cannot read', async () => {
  for (const version of ['20.19.2', '22.20.0']) {
    const { status, stdout, stderr } = await startedBy(version);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(String.raw`^didit-oidc needs Node 24 or later; this is ${version} \(`),
    );
  }
  expect(await startedBy('24.0.0')).toMatchObject({ status: 0, stderr: '' });
});
