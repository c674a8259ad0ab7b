import type { Redis } from 'ioredis';
import { mastersOf, type RedisClient } from './redis-client.ts';

/**
 * Looks at every master once, at the start.
 *
 * @returns what the operator should know.
 * @throws when Redis may drop records before their time, the mark on a spent code among them.
 */
export async function checkRedis(client: RedisClient): Promise<string[]> {
  const found = await Promise.all(mastersOf(client).map(checkServer));
  return [...new Set(found.flat())];
}

async function checkServer(server: Redis): Promise<string[]> {
  let facts: Map<string, string>;
  try {
    facts = parseInfo(await server.info());
  } catch (error) {
    if (!(error as Error).message.startsWith('NOPERM')) throw error;
    return [
      'Redis does not let this user read INFO: nobody has checked that maxmemory-policy is ' +
        'noeviction and that the append-only file is on.',
    ];
  }
  const policy = facts.get('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction') {
    throw new Error(
      `Redis has maxmemory-policy ${policy} and may drop records that still count: set noeviction`,
    );
  }
  if (facts.get('aof_enabled') === '1') return [];
  return [
    'Redis keeps no append-only file: a restart may lose accounts and logins. Set appendonly yes.',
  ];
}

function parseInfo(text: string): Map<string, string> {
  const pairs = text.split('\r\n').map((line) => line.split(':', 2));
  return new Map(pairs.map(([name = '', value = '']) => [name, value]));
}
