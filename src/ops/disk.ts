/** What files that have to outlive the power have in common, and why one cannot be written, in words. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { errorCode } from '../config/environment.ts';

const reasons: Readonly<Record<string, string>> = {
  EROFS: 'it is on a read-only file system',
  EACCES: 'this process may not write there',
  EPERM: 'this process may not write there, or not in the name of its owner',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
  EBUSY: 'it is mounted by itself: mount its directory instead',
};

export function whyNotWritten(error: unknown): string {
  const code = errorCode(error);
  return reasons[code] ?? (error instanceof Error ? error.message : code);
}

/** The name itself has to outlive the power, too. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
