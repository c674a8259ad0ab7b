/** The operator's files of networks: read whole, and kept as long as nothing better is there. */
import { readFile, stat } from 'node:fs/promises';
import { type AddressList, parseAddressList } from './address-list.ts';
import { type GeoDatabase, type GeoSubject, openGeoDatabase } from './geo-database.ts';
import type { Log } from './telemetry.ts';

/** As the settings call them. */
export interface NetworkFiles {
  countryDatabaseFile?: string | undefined;
  asnDatabaseFile?: string | undefined;
  torExitsFile?: string | undefined;
  vpnRangesFile?: string | undefined;
  hostingRangesFile?: string | undefined;
}

const mebibyte = 1024 * 1024;
const longestDatabase = 1024 * mebibyte;
const longestList = 64 * mebibyte;

/** @throws Error that says in a few words what is wrong with the file. */
export async function readGeoDatabase(file: string, subject: GeoSubject): Promise<GeoDatabase> {
  return openGeoDatabase(await readWhole(file, longestDatabase), subject);
}

/** @throws Error that says in a few words what is wrong with the file. */
export async function readAddressList(file: string): Promise<AddressList> {
  const list = await parseAddressList((await readWhole(file, longestList)).toString('utf8'));
  if (list.rangeCount > 0) return list;
  // What a download leaves behind that went wrong: nothing, or a page that says sorry.
  throw new Error('there is no address in it');
}

async function readWhole(file: string, longest: number): Promise<Buffer> {
  const stats = await nameFailure(() => stat(file));
  if (!stats.isFile()) throw new Error('it is no file');
  if (stats.size > longest) throw new Error(`it is longer than ${longest / mebibyte} MiB`);
  return nameFailure(() => readFile(file));
}

/** The system's own message would repeat the path. */
async function nameFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw new Error(`it cannot be read (${code})`);
  }
}

export interface KeptFile<T> {
  /** The last that could be used. */
  readonly content: T | undefined;
  /** Reads it if it is another than the last good one. Never rejects: what is wrong is logged, once for each state. */
  look(): Promise<void>;
}

export function createKeptFile<T>(
  { setting, file }: { setting: string; file: string | undefined },
  read: (file: string) => Promise<T>,
  log: Pick<Log, 'info' | 'warn'>,
): KeptFile<T> {
  let content: T | undefined;
  let goodState: string | undefined;
  let complaint: string | undefined;
  return {
    get content() {
      return content;
    },
    async look() {
      if (file === undefined) return;
      // Taken before reading: what is written meanwhile is seen the next time.
      const state = await stateOf(file);
      if (state === goodState) return;
      try {
        content = await read(file);
        goodState = state;
        complaint = undefined;
        log.info('a file of networks was read', { setting });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        // Tried again at each look, since it may have been the reading that failed and not the file.
        if (complaint === state + reason) return;
        complaint = state + reason;
        const instead = content === undefined ? 'nothing' : 'the last good one';
        log.warn('a file of networks cannot be used', { setting, reason, instead });
      }
    },
  };
}

async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(file);
    return [ino, size, mtimeMs, ctimeMs].join();
  } catch {
    return 'missing';
  }
}
