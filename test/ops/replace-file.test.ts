import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { CannotWrite, replaceFile } from '../../src/ops/keys/replace-file.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-replace-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  file = join(directory, 'jwks.json');
  writeFileSync(file, 'old', { mode: 0o640 });
});

it('has the new content and the old permissions, and nothing lies beside it', async () => {
  chmodSync(file, 0o640);
  await replaceFile(file, (text) => `${text}, new`);
  expect(readFileSync(file, 'utf8')).toBe('old, new');
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(readdirSync(directory)).toEqual(['jwks.json']);
});

it('behind a link is replaced where it lies', async () => {
  const link = join(directory, 'link');
  symlinkSync(file, link);
  await replaceFile(link, () => 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(readdirSync(directory).toSorted()).toEqual(['jwks.json', 'link']);
});

it('of two who change it at once one is told, and what is there is whole', async () => {
  const changes = ['one', 'two', 'three'].map((text) => replaceFile(file, () => text));
  const outcomes = await Promise.allSettled(changes);
  const refused = outcomes.filter(({ status }) => status === 'rejected');
  for (const { reason } of refused as PromiseRejectedResult[]) {
    expect(reason).toBeInstanceOf(CannotWrite);
  }
  expect(outcomes.length - refused.length).toBeGreaterThanOrEqual(1);
  expect(['one', 'two', 'three']).toContain(readFileSync(file, 'utf8'));
  expect(readdirSync(directory)).toEqual(['jwks.json']);
});

it('that somebody else changed meanwhile by hand keeps what they wrote', async () => {
  const change = (text: string): string => {
    writeFileSync(file, 'by hand');
    return `${text}, new`;
  };
  const refused = replaceFile(file, change);
  await expect(refused).rejects.toThrow(`${file} cannot be changed: somebody else changed it`);
  await expect(refused).rejects.toMatchObject({ instead: 'old, new' });
  expect(readFileSync(file, 'utf8')).toBe('by hand');
  expect(readdirSync(directory)).toEqual(['jwks.json']);
});

it('lies on the disk before it has its name, and so does the name', async () => {
  const handle = await open(file);
  await handle.close();
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const synced: string[] = [];
  const watched = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const what = (await this.stat()).isDirectory() ? 'the directory' : 'the file';
    synced.push(`${what}, with ${readFileSync(file, 'utf8')} under the name`);
    await this.datasync();
  });
  onTestFinished(() => watched.mockRestore());
  await replaceFile(file, () => 'new');
  expect(synced).toEqual([
    'the file, with old under the name',
    'the directory, with new under the name',
  ]);
});

it('whose change is refused stays as it was', async () => {
  const change = (): string => {
    throw new Error('no');
  };
  await expect(replaceFile(file, change)).rejects.toThrow('no');
  expect(readFileSync(file, 'utf8')).toBe('old');
});

it('[PL-02] where nothing can be written, is a clear refusal that does not show the secret', async () => {
  // procfs takes no new file from anybody, not even from root.
  const error = await replaceFile('/proc/self/comm', () => 'a-new-secret').catch(
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(CannotWrite);
  expect((error as CannotWrite).message).toMatch(/cannot be changed/);
  expect((error as CannotWrite).message).not.toContain('a-new-secret');
  expect((error as CannotWrite).instead).toBe('a-new-secret');
});
