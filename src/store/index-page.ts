/** One page of an index, lowest score first, with a mark for the next one. */
import type { Store } from './store.ts';

export interface IndexPage {
  members: string[];
  /** Absent after the last page. */
  next?: string;
}

/**
 * Members of one score may be many: what is read anew for them is bounded by `atOnce`, which is more than are ever
 * added in one millisecond.
 * @param after the mark of the page before. @returns undefined when it is none.
 */
export async function indexPage(
  store: Pick<Store, 'indexRange'>,
  index: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<IndexPage | undefined> {
  const mark = after === undefined ? undefined : readMark(after);
  if (after !== undefined && !mark) return undefined;
  const min = mark?.score ?? 0;
  for (let more = limit + 1; ; more *= 2) {
    const read = more + (mark ? 1 : 0);
    const range = { min, max: Number.MAX_SAFE_INTEGER, limit: read };
    const found = await store.indexRange(index, range);
    // Whoever was the last may be gone; then what comes after its score is next.
    const at = mark ? found.findIndex(({ member }) => member === mark.member) : -1;
    const isGone = mark !== undefined && at < 0;
    const rest = isGone ? found.filter(({ score }) => score > min) : found.slice(at + 1);
    if (rest.length <= limit && found.length === read) continue;
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return {
      members: page.map(({ member }) => member),
      ...(last && rest.length > limit ? { next: writeMark(last) } : {}),
    };
  }
}

const writeMark = (at: { score: number; member: string }): string =>
  Buffer.from(JSON.stringify([at.score, at.member])).toString('base64url');

function readMark(text: string): { score: number; member: string } | undefined {
  try {
    const read: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(read)) return undefined;
    const [score, member] = read as unknown[];
    const isMark = Number.isSafeInteger(score) && typeof member === 'string';
    return isMark ? { score: score as number, member: member } : undefined;
  } catch {
    return undefined;
  }
}
