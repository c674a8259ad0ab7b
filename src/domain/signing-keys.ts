/**
 * The life of a key that signs tokens. Its dates lie beside it in the JWK Set, as members of our own, in seconds:
 *
 *     published_at ── published ── signs_from ── signing ── (a newer one signs) ── retiring ── retires_at ── retired
 *
 * Published: relying parties can fetch it, nothing is signed with it yet. Signing: of each algorithm the newest whose
 * time has come. Retiring: signs no more and is still published, for what it signed. Retired: gone. A key without
 * these members signs from ever and until it is taken out of the file; of several the first signs.
 */

export interface KeyLife {
  published_at?: number;
  signs_from?: number;
  retires_at?: number;
}

export interface SigningKey extends KeyLife {
  kid?: string;
  alg?: string;
}

export type KeyState = 'published' | 'signing' | 'retiring' | 'retired';

export const lifeMembers = ['published_at', 'signs_from', 'retires_at'] as const;

/** The states of all keys, in their order. */
export function statesOf(keys: readonly SigningKey[], nowSeconds: number): KeyState[] {
  const signing = new Set(algorithms(keys).map((alg) => signerOf(keys, alg, nowSeconds)));
  return keys.map((key) => {
    if (signing.has(key)) return 'signing';
    if (isRetired(key, nowSeconds)) return 'retired';
    return beginning(key) > nowSeconds ? 'published' : 'retiring';
  });
}

/** What is published, in the order in which the library looks: of each algorithm the first signs. */
export function publishedKeys<K extends SigningKey>(keys: readonly K[], nowSeconds: number): K[] {
  const states = statesOf(keys, nowSeconds);
  const published = keys.filter((_, at) => states[at] !== 'retired');
  const signing = keys.filter((_, at) => states[at] === 'signing');
  return [...signing, ...published.filter((key) => !signing.includes(key))];
}

/**
 * The set with a new key of the same algorithm, first in the file. What signs until then goes once nothing that it
 * signed is of use any more.
 * @param keptForSeconds how long that is.
 */
export function withNewKey<K extends SigningKey>(
  keys: readonly K[],
  fresh: K,
  dates: { nowSeconds: number; signsFrom: number; keptForSeconds: number },
): K[] {
  const { nowSeconds, signsFrom, keptForSeconds } = dates;
  const states = statesOf(keys, nowSeconds);
  const retiresAt = signsFrom + keptForSeconds;
  const kept = keys.flatMap((key, at) => {
    if (states[at] === 'retired') return [];
    const isReplaced = key.alg === fresh.alg && key.retires_at === undefined;
    return [isReplaced ? { ...key, retires_at: retiresAt } : key];
  });
  return [{ ...fresh, published_at: nowSeconds, signs_from: signsFrom }, ...kept];
}

/**
 * The set without one of its keys. Should it have been the last that was to sign, the one before it goes on without an
 * end, as before there was a next one: else nobody would sign from that day on.
 */
export function withoutKey(
  keys: readonly SigningKey[],
  kid: string,
  nowSeconds: number,
): SigningKey[] {
  const states = statesOf(keys, nowSeconds);
  const alg = keys.find((key) => key.kid === kid)?.alg;
  const line = keys.filter(
    (key, at) => key.alg === alg && (states[at] === 'signing' || states[at] === 'published'),
  );
  const [last, before] = line.toSorted((a, b) => compare(beginning(b), beginning(a)));
  const left = keys.filter((key) => key.kid !== kid);
  if (last?.kid !== kid) return left;
  return left.map((key) => (key === before ? withoutEnd(key) : key));
}

function withoutEnd({ retires_at: _, ...key }: SigningKey): SigningKey {
  return key;
}

/** The newest whose time has come. Should there be none, the one whose time comes first: somebody has to sign. */
function signerOf<K extends SigningKey>(keys: readonly K[], alg: string, nowSeconds: number) {
  const own = keys.filter((key) => key.alg === alg);
  const alive = own.filter((key) => !isRetired(key, nowSeconds));
  const begun = alive.filter((key) => beginning(key) <= nowSeconds);
  // Sorting is stable: of those that began together the first in the file.
  const newestFirst = begun.toSorted((a, b) => compare(beginning(b), beginning(a)));
  return newestFirst[0] ?? alive.toSorted((a, b) => compare(beginning(a), beginning(b)))[0];
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

const beginning = ({ signs_from: from = -Infinity }: SigningKey): number => from;

const isRetired = ({ retires_at: end = Infinity }: SigningKey, nowSeconds: number): boolean =>
  end <= nowSeconds;

const algorithms = (keys: readonly SigningKey[]): string[] => [
  ...new Set(keys.flatMap(({ alg }) => (alg === undefined ? [] : [alg]))),
];
