/** The generated documents on the disk: written, or compared with what they should be. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderReference } from '../../config/reference.ts';

export function writeReference(directory: string): void {
  for (const [name, text] of renderReference()) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** @throws when a file is missing or differs. */
export function checkReference(directory: string): void {
  const drifted = [...renderReference()]
    .filter(([name, text]) => {
      const path = join(directory, name);
      return !existsSync(path) || readFileSync(path, 'utf8') !== text;
    })
    .map(([name]) => name);
  if (drifted.length === 0) return;
  throw new Error(`out of date: ${drifted.join(', ')}; run \`didit-oidc config reference\``);
}
