/**
 * servers/ holds the programs that are measured. Each runs in a process of its own, pinned to one core, and is the
 * same to the outside: settings come as JSON on the command line, "ready" and answers to questions go over IPC.
 */
import type { JWK } from 'jose';

export interface ServerSettings {
  port: number;
  /** Where there is to be a console. */
  managementPort?: number;
  jwks: { keys: JWK[] };
  cookieKey: string;
  clientSecret: string;
  storeUrl: string;
  encryptionKey: string;
  accountsFile: string;
  simulatorUrl: string;
}

export type Question = 'cpu' | 'latencies';

export function readSettings(): ServerSettings {
  return JSON.parse(process.argv[2] ?? '') as ServerSettings;
}

/** @param latencies answers what a server has measured inside itself, in milliseconds, and forgets it. */
export function announceReady(latencies: () => number[] = () => []): void {
  process.on('message', (question: Question) => {
    const { user, system } = process.cpuUsage();
    process.send?.(question === 'cpu' ? (user + system) / 1000 : latencies());
  });
  // Whoever started us is gone: nobody will ask any more.
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
