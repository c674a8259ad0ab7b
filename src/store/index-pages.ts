/** An index that may be long, read and pruned a page at a time. */
import type { Store } from './store.ts';

const pageOf = 100;
const groupOf = 50;

/** Lowest score first. */
export async function* membersSince(
  store: Pick<Store, 'indexRange'>,
  index: string,
  since: number,
): AsyncGenerator<string> {
  let [min, limit] = [since, pageOf];
  let before = new Set<string>();
  for (;;) {
    const page = await store.indexRange(index, { min, max: Number.MAX_SAFE_INTEGER, limit });
    for (const { member } of page) {
      if (!before.has(member)) yield member;
    }
    const last = page.at(-1)?.score;
    if (page.length < limit || last === undefined) return;
    // Members of one and the same score may lie on both sides of a page's end.
    before = new Set(page.filter(({ score }) => score === last).map(({ member }) => member));
    limit = last === min ? limit * 2 : pageOf;
    min = last;
  }
}

/** For reading what they lead to, many at once. */
export async function* inGroups(members: AsyncIterable<string>): AsyncGenerator<string[]> {
  let group: string[] = [];
  for await (const member of members) {
    group.push(member);
    if (group.length < groupOf) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** All whose score is not higher. */
export async function forgetMembers(
  store: Pick<Store, 'indexRange' | 'indexRemove'>,
  index: string,
  until: number,
): Promise<void> {
  for (;;) {
    const old = await store.indexRange(index, { min: 0, max: until, limit: pageOf });
    await Promise.all(old.map(({ member }) => store.indexRemove(index, member)));
    if (old.length < pageOf) return;
  }
}
