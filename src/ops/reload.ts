/**
 * A running provider takes a changed configuration without stopping: on SIGHUP, when a file that it read says something
 * else, and when a key's time has come. What cannot be used changes nothing but one line of the log and the readiness.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ReadFile } from '../config/environment.ts';
import type { Log } from '../web/telemetry.ts';

export interface ReloadTools {
  /** Takes on what the files say now. @throws when it cannot be used. */
  apply(): Promise<void>;
  /** What of the keys in force depends on the time, as a text that differs when anything of it does, as of that time. */
  keyMark(atMs: number): Promise<string>;
  files: WatchedFiles;
  log: Pick<Log, 'info' | 'error'>;
  clock: () => number;
  everySeconds: number;
}

const againAfterMs = 60_000;

export interface Reloader {
  start(): Promise<void>;
  stop(): void;
  /** Now, whatever has changed. Resolves when it is done, also when it failed. */
  reload(because: string): Promise<void>;
}

export function createReloader(tools: ReloadTools): Reloader {
  const { files, log, clock, everySeconds } = tools;
  let timer: NodeJS.Timeout | undefined;
  let mark: string | undefined;
  let againAtMs = Infinity;
  let isLooking = false;

  async function reload(because: string): Promise<void> {
    // A key whose time comes while this is under way may not be taken on by it: the next look has to find that.
    const beganAtMs = clock();
    try {
      await tools.apply();
      againAtMs = Infinity;
      log.info('reloaded', { because });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.error('config_reload_failed', { because, reason });
      // Perhaps it was not the configuration, but the store that was away for a moment.
      againAtMs = clock() + againAfterMs;
    }
    mark = await markAt(beganAtMs);
  }

  /** A store that does not answer says nothing of keys. */
  const markAt = (ms: number): Promise<string | undefined> => tools.keyMark(ms).catch(() => mark);

  async function look(): Promise<void> {
    const changed = files.changed();
    if (changed !== undefined) return reload(`${changed} has changed`);
    if (againAtMs <= clock()) return reload('the last time failed');
    if ((await markAt(clock())) !== mark) return reload('the time of a key has come');
  }

  return {
    reload,
    async start() {
      mark = await markAt(clock());
      timer = setInterval(() => {
        if (isLooking) return;
        isLooking = true;
        void look().finally(() => (isLooking = false));
      }, everySeconds * 1000);
    },
    stop: () => clearInterval(timer),
  };
}

export interface WatchedFiles {
  /** Reads a file, and remembers what it said. */
  read: ReadFile;
  /** Forgets all files: what is read from now on counts. */
  restart(): void;
  /**
   * @returns the name of one that says something else than when it was read; undefined when there is none, and until all
   * of them say the same on two looks in a row.
   */
  changed(): string | undefined;
}

/**
 * By content: where files are mounted, what changes is a link to a directory above them, and times say nothing. A file
 * that was missing is watched too, since the configuration may be waiting for it. One that is being written may be valid
 * halfway, with half of the apps: it counts once it stays as it is.
 */
export function watchFiles(
  readFile: ReadFile = (name) => readFileSync(name, 'utf8'),
): WatchedFiles {
  let seen = new Map<string, string>();
  /** On the last look. */
  let before = '';

  return {
    read(name) {
      try {
        const text = readFile(name);
        seen.set(name, digestOf(text));
        return text;
      } catch (error) {
        seen.set(name, missing);
        throw error;
      }
    },
    restart() {
      seen = new Map();
    },
    changed() {
      const names = [...seen.keys()];
      const digests = names.map((name) => digestNow(name, readFile));
      const now = digests.join();
      const isStill = now === before;
      before = now;
      return isStill ? names.find((name, at) => seen.get(name) !== digests[at]) : undefined;
    },
  };
}

const missing = 'missing';

function digestNow(name: string, readFile: ReadFile): string {
  try {
    return digestOf(readFile(name));
  } catch {
    return missing;
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
