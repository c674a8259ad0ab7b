/** `didit-oidc keys reseal`: long work beside a running provider; it can be broken off and begun again. */
import { type PeopleOptions, print } from './people.ts';
import { createTeller } from './progress.ts';

export async function reseal(options: PeopleOptions): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts');
  const { inOrder, parseDated } = await import('../../domain/dated.ts');
  const { createKeyring, keyIdOf } = await import('../../store/keyring.ts');
  const { openDriver } = await import('../../store/open.ts');
  const store = await import('../../store/reseal.ts');
  const { config } = loadConfig({ fileName: options.config, env: process.env });
  const { url, encryptionKeys } = config.store;
  const keys = inOrder(encryptionKeys, Date.now());
  if (keys.length === 0) throw new Error('the store is not sealed');
  const waiting = encryptionKeys.find((text) => (parseDated(text)?.fromMs ?? 0) > Date.now());
  if (waiting !== undefined) {
    process.stderr.write(
      'the newest key is not in use yet; what is sealed anew gets the one before\n',
    );
  }
  const driver = await openDriver({ url, clock: Date.now });
  try {
    const keyring = createKeyring(keys);
    const tell = createTeller();
    const done = await store.reseal(driver.store, keyring, ({ seen, resealed }) =>
      tell(`${seen} records seen, ${resealed} sealed anew`),
    );
    const counts = await store.countByKey(driver.store);
    const left = keys.map((key) => ({ id: keyIdOf(key), records: counts.get(keyIdOf(key)) ?? 0 }));
    print(options, { ...done, keys: left }, () => [
      `${done.resealed} of ${done.seen} records were sealed anew`,
      ...(done.unreadable > 0
        ? [`${done.unreadable} could not be read: their key is not here`]
        : []),
      ...left.map((one, at) => stateOf(one, at === 0)),
    ]);
    if (done.unreadable > 0) process.exitCode = 1;
  } finally {
    await driver.store.close();
  }
}

function stateOf({ id, records }: { id: string; records: number }, isNewest: boolean): string {
  if (isNewest) return `${id}  in use, ${records} records`;
  return records === 0
    ? `${id}  no record needs it any more: didit-oidc keys retire store ${id}`
    : `${id}  still ${records} records`;
}
