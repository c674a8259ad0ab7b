/** Keys that are over are taken out of the files, and one that nobody may trust any more at once. */
import type { Config } from '../../config/schema.ts';
import type { Next } from '../../config/write.ts';
import { inOrder, parseDated } from '../../domain/dated.ts';
import type { Record } from '../../domain/event.ts';
import { statesOf, withoutKey } from '../../domain/signing-keys.ts';
import { parseJwks } from '../../oidc/keys.ts';
import { keyIdOf } from '../../store/keyring.ts';
import { shortId } from './list.ts';
import { replaceFile } from './replace-file.ts';
import type { KeyUse, SettingUse } from './uses.ts';

export interface RetireTools {
  load: () => Config;
  exchange: (use: SettingUse, next: Next) => Promise<void>;
  clock: () => number;
  record: Record;
}

export interface RetireOptions {
  by: string;
  /** How many records of the store each of its keys seals, by the key's id. */
  recordsOf: () => Promise<ReadonlyMap<string, number>>;
}

const listed = { cookies: 'cookies', store: 'store', webhook: 'webhook' } as const;

export function createRetire({ load, exchange, clock, record }: RetireTools) {
  /** @throws when it is in use; nothing is changed then. */
  async function retire(use: KeyUse, id: string, options: RetireOptions): Promise<void> {
    const config = load();
    if (use === 'signing') await retireSigning(config, id, clock() / 1000);
    else if (use in listed) await retireListed(config, use as keyof typeof listed, id, options);
    else throw new Error(`of ${use} there is one key: rotate it`);
    tell(use, id, options);
  }

  function tell(use: KeyUse, id: string, { by }: Pick<RetireOptions, 'by'>): void {
    record({ event: 'key.retired', atMs: clock(), object: `${use}:${id}`, operators: [by] });
  }

  async function retireListed(
    config: Config,
    use: keyof typeof listed,
    id: string,
    { recordsOf }: RetireOptions,
  ): Promise<void> {
    const idOf = (text: string): string =>
      (use === 'store' ? keyIdOf : shortId)(parseDated(text)?.secret ?? text);

    function without(list: readonly string[]): string[] {
      if (!list.some((text) => idOf(text) === id)) throw new Error(`there is no key "${id}"`);
      const [current = ''] = inOrder(list, clock());
      if (idOf(current) === id) throw new Error('it is in use: rotate first');
      return list.filter((text) => idOf(text) !== id);
    }

    without(listOf(config, use));
    // Takes minutes in a large store, in which somebody may make another key.
    const sealed = use === 'store' ? ((await recordsOf()).get(id) ?? 0) : 0;
    if (sealed > 0) {
      throw new Error(`${sealed} records can be read with nothing else: didit-oidc keys reseal`);
    }
    await exchange(use, without);
  }

  /** What is over already; told file by file, since a later one may refuse. @returns the ids. */
  async function tidy(options: Pick<RetireOptions, 'by'>): Promise<string[]> {
    const config = load();
    const nowMs = clock();
    const gone = await tidySigning(config, nowMs / 1000);
    for (const id of gone) tell('signing', id, options);
    for (const use of ['cookies', 'webhook'] as const) {
      const isOver = (text: string): boolean => (parseDated(text)?.untilMs ?? Infinity) <= nowMs;
      if (!listOf(config, use).some(isOver)) continue;
      let over: string[] = [];
      await exchange(use, (list) => {
        over = list.filter(isOver);
        return list.filter((text) => !isOver(text));
      });
      const ids = over.map((text) => shortId(parseDated(text)?.secret ?? text));
      for (const id of ids) tell(use, id, options);
      gone.push(...ids);
    }
    return gone;
  }

  return { retire, tidy };
}

function listOf({ cookies, store, didit }: Config, use: keyof typeof listed): readonly string[] {
  return { cookies: cookies.keys, store: store.encryptionKeys, webhook: didit.webhookSecrets }[use];
}

async function retireSigning({ jwksFile }: Config, id: string, nowSeconds: number): Promise<void> {
  await replaceFile(requireFile(jwksFile), (text) => {
    const { keys } = parseJwks(text);
    const at = keys.findIndex(({ kid }) => kid === id);
    if (at === -1) throw new Error(`there is no key "${id}"`);
    if (statesOf(keys, nowSeconds)[at] === 'signing') {
      throw new Error(
        'it signs: didit-oidc keys rotate signing first, with --now if it was stolen',
      );
    }
    return writeSet(withoutKey(keys, id, nowSeconds));
  });
}

async function tidySigning({ jwksFile }: Config, nowSeconds: number): Promise<string[]> {
  if (jwksFile === undefined) return [];
  let gone: string[] = [];
  await replaceFile(jwksFile, (text) => {
    const { keys } = parseJwks(text);
    const states = statesOf(keys, nowSeconds);
    const over = keys.filter((_, at) => states[at] === 'retired');
    gone = over.map(({ kid }) => kid ?? '');
    return over.length === 0 ? text : writeSet(keys.filter((key) => !over.includes(key)));
  });
  return gone;
}

/** @throws where there is none. */
export const jwksFileMissing = 'jwksFile is not set: keys are made up at each start';

export function requireFile(jwksFile: string | undefined): string {
  if (jwksFile === undefined) throw new Error(jwksFileMissing);
  return jwksFile;
}

export const writeSet = (keys: readonly object[]): string =>
  `${JSON.stringify({ keys }, null, 2)}\n`;
