/** Commands that are acts: through the same door as the console and the API, by the one who typed them. */
import type { GivenInput } from '../acts/perform.ts';
import { type OperatorOptions, operatorName } from './people.ts';

export type PerformNamed = (id: string, input?: GivenInput) => Promise<Record<string, unknown>>;

/** A provider that answers nobody, with the configuration of the one that does. */
export async function withActs(
  { config: fileName, operator }: OperatorOptions,
  work: (perform: PerformNamed, issuer: string) => Promise<void>,
): Promise<void> {
  const name = operatorName(operator);
  const { readFileSync } = await import('node:fs');
  const { createApp } = await import('../../app.ts');
  const { createLog } = await import('../../web/telemetry.ts');
  const { actNamed } = await import('../acts/index.ts');
  const { Refusal } = await import('../acts/refusal.ts');
  const { createLoader } = await import('./serve.ts');
  const configured = await createLoader(fileName, (file) => readFileSync(file, 'utf8'))();
  const log = createLog('warn', { write: (line) => void process.stderr.write(line) });
  const app = await createApp({ ...configured, log });
  try {
    await work(
      (id, input = {}) =>
        app.perform(actNamed(id), input, { kind: 'command', name, role: 'admin' }),
      configured.config.issuer,
    );
  } catch (error) {
    throw error instanceof Refusal ? new Error(inWords(error.told)) : error;
  } finally {
    await app.close();
  }
}

function inWords({ detail, fields = [] }: { detail: string; fields?: readonly Field[] }): string {
  return [detail, ...fields.map(({ path, message }) => `  ${path}: ${message}`)].join('\n');
}

interface Field {
  path: string;
  message: string;
}

/** All pages, one after the other. */
export async function all(
  perform: PerformNamed,
  id: string,
  member: string,
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let cursor: unknown;
  do {
    const query = { limit: '200', ...(cursor === undefined ? {} : { cursor }) };
    const page = await perform(id, { query });
    found.push(...(page[member] as Record<string, unknown>[]));
    cursor = page['next'];
  } while (cursor !== undefined);
  return found;
}

/** @param named an e-mail address, a user name or the `sub`. */
export async function subOf(named: string, perform: PerformNamed): Promise<string> {
  const { accounts } = await perform('accounts.list', { query: { named } });
  const [found] = accounts as { sub: string }[];
  if (!found) throw new Error(`nobody signs in as "${named}"`);
  return found.sub;
}
