/**
 * A file with secrets gets another content in one step: whoever reads it meanwhile, or after the power went, finds the old
 * one or the new one, whole. The file beside it is made for this alone, so of two who would change it one is told.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../../config/environment.ts';
import { syncDirectory, whyNotWritten } from '../disk.ts';

/** The new content cannot be written there. The message names the file and the reason, and no secret. */
export class CannotWrite extends Error {
  /** What would have been written, for whoever can put it there. */
  readonly instead: string;

  constructor(message: string, instead: string) {
    super(message);
    this.name = 'CannotWrite';
    this.instead = instead;
  }
}

/** @throws CannotWrite, and nothing is changed then. */
export async function replaceFile(name: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(name, 'utf8');
  const after = change(before);
  if (after === before) return;
  // A link stays a link.
  const file = await realpath(name);
  const beside = join(dirname(file), `.${basename(file)}.new`);
  try {
    await writeBeside(file, beside, after);
    if ((await readFile(name, 'utf8')) !== before) throw new Error('somebody else changed it');
    await rename(beside, file);
    await syncDirectory(dirname(file));
  } catch (error) {
    if (errorCode(error) === 'EEXIST') {
      const message = `${name} is being changed by somebody else; if nobody is, remove ${beside}`;
      throw new CannotWrite(message, after);
    }
    await rm(beside, { force: true }).catch(() => undefined);
    throw new CannotWrite(`${name} cannot be changed: ${whyNotWritten(error)}`, after);
  }
}

async function writeBeside(file: string, beside: string, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(file);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const handle = await open(beside, flags, 0o600);
  try {
    await handle.writeFile(text);
    await keepOwner(handle, { uid, gid });
    await handle.chmod(mode & 0o7777);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Else the service might not be able to read it any more. */
async function keepOwner(handle: FileHandle, owner: { uid: number; gid: number }): Promise<void> {
  const own = await handle.stat();
  if (own.uid !== owner.uid || own.gid !== owner.gid) await handle.chown(owner.uid, owner.gid);
}
