/**
 * Seals anew, with the newest key, whatever an older one sealed, while the provider runs. It goes over the records as
 * they lie there and opens each for a moment; what a record says, its version and its end stay, so that it is in nobody's
 * way. Whatever is sealed with the newest key is passed over: broken off and begun again, it goes on where it was.
 */
import { type Keyring, sealedBy } from './keyring.ts';
import { boundTo } from './sealed.ts';
import type { Driver, Stored } from './store.ts';

export interface ResealProgress {
  seen: number;
  resealed: number;
  /** Sealed with a key that is not there, or altered: they stay as they are. */
  unreadable: number;
}

/** So many at once: enough to be quick, too few to hold up a login. */
const atOnce = 50;
/** Somebody else may write it meanwhile, as a rule with the newest key. */
const rounds = 5;

/** @param told hears of the progress, after every few records. */
export async function reseal(
  driver: Pick<Driver, 'scanAll' | 'rewrite' | 'get'>,
  keyring: Keyring,
  told: (progress: ResealProgress) => void = () => undefined,
): Promise<ResealProgress> {
  const progress = { seen: 0, resealed: 0, unreadable: 0 };
  let outdated: (Stored & { key: string })[] = [];

  async function flush(): Promise<void> {
    const outcomes = await Promise.all(
      outdated.map((record) => resealOne(driver, keyring, record)),
    );
    outdated = [];
    progress.resealed += outcomes.filter((outcome) => outcome === 'resealed').length;
    progress.unreadable += outcomes.filter((outcome) => outcome === 'unreadable').length;
    told({ ...progress });
  }

  for await (const record of driver.scanAll()) {
    progress.seen += 1;
    if (keyring.isOutdated(record.value)) outdated.push(record);
    if (outdated.length >= atOnce) await flush();
  }
  await flush();
  return progress;
}

async function resealOne(
  driver: Pick<Driver, 'rewrite' | 'get'>,
  keyring: Keyring,
  { key, ...first }: Stored & { key: string },
): Promise<'resealed' | 'unreadable' | 'gone'> {
  let record: Stored | undefined = first;
  for (let round = 0; round < rounds; round += 1) {
    if (!record || !keyring.isOutdated(record.value)) return 'gone';
    const sealed = sealAnew(keyring, key, record.value);
    if (sealed === undefined) return 'unreadable';
    if (await driver.rewrite(key, sealed, record.version)) return 'resealed';
    record = await driver.get(key);
  }
  throw new Error('a record is written so often that it could not be sealed anew: run it again');
}

function sealAnew(keyring: Keyring, key: string, value: string): string | undefined {
  try {
    return keyring.seal(keyring.open(value, boundTo(key)), boundTo(key));
  } catch {
    return undefined;
  }
}

/** How many records each key seals, by the key's name; `''` for those that none seals. */
export async function countByKey(
  driver: Pick<Driver, 'scanAll'>,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const { value } of driver.scanAll()) {
    const id = sealedBy(value) ?? '';
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
