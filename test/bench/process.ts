/** Starting what is measured: a process on a core of its own, with a line to ask it things. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/ports.ts';
import type { Question, ServerSettings } from './servers/measured.ts';

const serverCore = '0';
const loadCore = '1';

/** Whether servers and load were given a core each; without that the figures disturb each other. */
export const isPinned = pinOurselves();

/** The load, the simulator and Redis share the other core: what is started from here inherits it. */
function pinOurselves(): boolean {
  if (cpus().length < 2) return false;
  try {
    execFileSync('taskset', ['-acp', loadCore, String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Node with these arguments, and with its own that we were given, on the core of the servers. */
export function spawnNode(
  args: readonly string[],
  options: { env?: Record<string, string>; ipc?: boolean } = {},
): ChildProcess {
  const [program, ...rest] = [
    ...(isPinned ? ['taskset', '-c', serverCore] : []),
    process.execPath,
    ...process.execArgv,
    ...args,
  ] as [string, ...string[]];
  const stdout = options.ipc ? 'inherit' : 'ignore';
  const child = spawn(program, rest, {
    stdio: ['ignore', stdout, 'inherit', ...(options.ipc ? (['ipc'] as const) : [])],
    ...(options.env ? { env: options.env } : {}),
  });
  // A run that is cut short must not leave servers behind.
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  child.once('exit', () => process.off('exit', endWithUs));
  return child;
}

/** For programs that know no more of us than any other program does. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

export interface Server {
  issuer: string;
  clientSecret: string;
  /** User and system time of all threads since the start. */
  cpuMs(): Promise<number>;
  latenciesMs(): Promise<number[]>;
  stop(): Promise<void>;
}

/** Written out, so that the unused-code check sees who runs them. */
const programs = {
  bare: new URL('./servers/bare.ts', import.meta.url),
  stubbed: new URL('./servers/stubbed.ts', import.meta.url),
  whole: new URL('./servers/whole.ts', import.meta.url),
};

export async function startServer(
  name: keyof typeof programs,
  settings: Omit<ServerSettings, 'port'>,
): Promise<Server> {
  const port = await freePort();
  const child = spawnNode([fileURLToPath(programs[name]), JSON.stringify({ ...settings, port })], {
    ipc: true,
  });
  const gone = once(child, 'exit');
  const next = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [unknown];
    if (!child.connected) throw new Error(`the server "${name}" has ended`);
    return message;
  };
  const ask = async (question: Question): Promise<unknown> => {
    const answer = next();
    child.send(question);
    return answer;
  };
  await next();
  return {
    issuer: `http://127.0.0.1:${port}`,
    clientSecret: settings.clientSecret,
    cpuMs: async () => (await ask('cpu')) as number,
    latenciesMs: async () => (await ask('latencies')) as number[],
    // It ends by itself then and not by a signal, so that a profile is written (docs/performance.md).
    async stop() {
      child.disconnect();
      await gone;
    },
  };
}
