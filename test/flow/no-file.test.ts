/** A face is in memory, in the sealed store, and nowhere else: every file that changes meanwhile is read. */
import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';
import { overhear } from '../didit/support.ts';
import { createBrowser } from '../support/browser.ts';
import { openToAll, signUp } from '../support/enrol.ts';
import { createParty, signIn } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';

const root = new URL('../..', import.meta.url).pathname;

/** Files that were written since, below the places that this process may write to. */
async function writtenSince(sinceMs: number): Promise<string[]> {
  const found: string[] = [];
  const walk = async (directory: string, depth: number): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (['node_modules', '.git'].includes(entry.name)) continue;
      if (entry.isDirectory() && depth > 0) await walk(path, depth - 1);
      if (!entry.isFile()) continue;
      const { mtimeMs, size } = (await stat(path).catch(() => undefined)) ?? {};
      const isNew = mtimeMs !== undefined && mtimeMs >= sinceMs - 1_000;
      if (isNew && (size ?? 0) < 64 * 2 ** 20) found.push(path);
    }
  };
  await walk(tmpdir(), 3);
  await walk(root, 4);
  return found;
}

test('[BD-03] enrolling and signing in write no face into any file', async () => {
  const overheard = overhear();
  const bed = await startTestbed({
    ...{ storeUrl: await freshRedis(), flags: openToAll, fetch: overheard.fetch },
  });
  try {
    const sinceMs = Date.now();
    const party = await createParty(bed);
    const [first, second] = [await party.begin(), await party.begin()];
    await first.finish((await signUp(bed, createBrowser(), first, 'nora@example.com')).location);
    await second.finish(await signIn(createBrowser(), second, 'nora@example.com'));
    const portrait = overheard.latest().body.portrait_image;
    expect(portrait.length).toBeGreaterThan(1_000);
    const raw = Buffer.from(portrait, 'base64');
    const faces = [portrait.slice(200, 260), raw.subarray(150, 200).toString('latin1')];
    const files = await writtenSince(sinceMs);
    const withFace: string[] = [];
    for (const file of files) {
      const content = (await readFile(file).catch(() => Buffer.alloc(0))).toString('latin1');
      if (faces.some((face) => content.includes(face))) withFace.push(file);
    }
    expect(withFace).toEqual([]);
    // The search finds what there is to find.
    expect(createHash('sha256').update(raw).digest('hex')).toMatch(/^[0-9a-f]{64}$/);
    expect(raw.toString('latin1')).toContain(faces[1]);
  } finally {
    await bed.close();
  }
});

test('[BD-03] no container writes down its memory when it crashes', () => {
  const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), {
    merge: true,
  }) as { services: Record<string, { ulimits?: { core?: number } }> };
  for (const [name, { ulimits }] of Object.entries(services)) {
    expect(ulimits?.core, name).toBe(0);
  }
  const image = readFileSync(join(root, 'Dockerfile'), 'utf8');
  expect(image).not.toMatch(/heapsnapshot|report-on|heap-prof|abort-on-uncaught/);
});
