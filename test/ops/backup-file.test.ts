/** A backup is whole on the disk, or it is not there. */
import { execFile } from 'node:child_process';
import fs, { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { writeToFile } from '../../src/ops/backup-file.ts';
import type { RawEntry } from '../../src/store/raw.ts';

function directoryOfTest(): string {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-backup-file-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

const module = new URL('../../src/ops/backup-file.ts', import.meta.url).href;

it('that the disk has no room for is refused in words, and nothing is left that looks like one', async () => {
  const directory = directoryOfTest();
  const script = `
    import { writeToFile } from ${JSON.stringify(module)};
    async function* entries() {
      for (let at = 0; at < 2000; at += 1) {
        if (at % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        yield { record: 'account:' + at, value: 'x'.repeat(400) };
      }
    }
    await writeToFile('backup', entries(), { nowMs: 0, progress() {} }).then(
      () => console.log('done'),
      ({ message }) => console.log(message),
    );
  `;
  // A process that may write no larger files is told so in the middle of it, as on a disk that is full.
  const limited = ['-c', 'ulimit -f 64 && exec "$@"', 'sh', process.execPath];
  const said = await new Promise<string>((resolve) =>
    execFile(
      'sh',
      [...limited, '--input-type=module', '-e', script],
      { cwd: directory },
      (_, stdout, stderr) => resolve(stdout + stderr),
    ),
  );
  expect(said).toMatch(/^there is no backup: EFBIG: file too large, write\n$/);
  expect(readdirSync(directory)).toEqual([]);
});

it('of a store that fails halfway is not there, and the store is let go', async () => {
  const directory = directoryOfTest();
  let isLetGo = false;
  async function* entries(): AsyncGenerator<RawEntry> {
    try {
      yield { record: 'account:one', value: 'one' };
      await Promise.reject(new Error('the store does not answer'));
    } finally {
      isLetGo = true;
    }
  }
  const told = { nowMs: 0, progress: () => undefined };
  await expect(writeToFile(join(directory, 'backup'), entries(), told)).rejects.toThrow(
    'there is no backup: the store does not answer',
  );
  expect(readdirSync(directory)).toEqual([]);
  expect(isLetGo).toBe(true);
});

it('lies on the disk before it has its name', async () => {
  const file = join(directoryOfTest(), 'backup');
  const synced = vi.spyOn(fs, 'fsync');
  const sizes: { synced: number; named: number }[] = [];
  synced.mockImplementation((descriptor, done) => {
    sizes.push({ synced: fs.fstatSync(descriptor).size, named: fs.statSync(file).size });
    fs.fdatasync(descriptor, done);
  });
  onTestFinished(() => synced.mockRestore());
  await writeToFile(file, [], { nowMs: 0, progress: () => undefined });
  const { size } = fs.statSync(file);
  expect(sizes).toEqual([
    { synced: 0, named: 0 },
    { synced: size, named: 0 },
  ]);
});

it('that is there already stays as it is', async () => {
  const file = join(directoryOfTest(), 'backup');
  writeFileSync(file, 'of yesterday');
  await expect(writeToFile(file, [], { nowMs: 0, progress: () => undefined })).rejects.toThrow(
    'file already exists',
  );
  expect(readFileSync(file, 'utf8')).toBe('of yesterday');
});

it('whose restore fails in the middle is refused in words by a process that lives, and nothing is under way then', async () => {
  const directory = directoryOfTest();
  const script = `
    import { restoreFile, writeToFile } from ${JSON.stringify(module)};
    const told = { nowMs: 0, progress() {} };
    const all = Array.from({ length: 90 }, (_, at) => ({ record: 'account:' + at, value: 'x'.repeat(4000) }));
    await writeToFile('backup', all, told);
    let underWay = 0;
    const store = {
      async put(key) {
        underWay += 1;
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        if (key === 'account:3') throw new Error('the store does not answer');
      },
    };
    const place = { store, entries: async function* () {}, encryptionKeys: [] };
    await restoreFile('backup', place, { clock: () => 0, progress() {} }).then(
      () => console.log('done'),
      ({ message }) => console.log(message),
    );
    await new Promise((resolve) => setImmediate(resolve));
    console.log(underWay);
  `;
  const said = await new Promise<string>((resolve) =>
    execFile(
      process.execPath,
      ['--input-type=module', '-e', script],
      { cwd: directory },
      (_, stdout, stderr) => resolve(stdout + stderr),
    ),
  );
  expect(said).toBe('the store does not answer\n0\n');
});
