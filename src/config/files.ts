/** The files that settings name: where they lie, and whether they can be read. */
import { dirname, isAbsolute, join } from 'node:path';
import { errorCode } from './environment.ts';
import type { ReadFile } from './environment.ts';
import type { Given } from './parse.ts';
import { policyPath, shippedPolicies } from './policies.ts';
import type { ConfigProblem } from './problems.ts';
import { settings } from './settings.ts';
import type { Setting } from './settings.ts';

/** @returns what each named file holds, by the key of its setting. */
export function readNamedFiles(given: ReadonlyMap<string, Given>, readFile: ReadFile) {
  const texts = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { key, file, shippedPolicy, mayBeMissing } of settings) {
    const named = given.get(key);
    if (!file || mayBeMissing || typeof named?.value !== 'string' || named.value === '') continue;
    const path = shippedPolicy ? policyPath(named.value) : named.value;
    try {
      texts.set(key, readFile(path));
    } catch (error) {
      const message = `${path} cannot be read (${errorCode(error)})`;
      const fix = 'Correct the path or let the service read the file.';
      problems.push({ key, from: named.from, message, fix });
    }
  }
  return { texts, problems };
}

/** What a file names lies beside that file, wherever the program was started. */
export function relativeTo(fileName: string, setting: Setting, line: Given): Given {
  if (typeof line.value !== 'string') return line;
  if (setting.shippedPolicy && shippedPolicies.includes(line.value)) return line;
  const beside = (path: string) => (isAbsolute(path) ? path : join(dirname(fileName), path));
  if (setting.file && line.value !== '') return { ...line, value: beside(line.value) };
  const database = /^sqlite:(?!:memory:)(.+)$/.exec(line.value)?.[1];
  if (setting.key === 'store.url' && database) {
    return { ...line, value: `sqlite:${beside(database)}` };
  }
  return line;
}
