/** Whether any of thousands of secrets stands in megabytes of text. */

/** By how they begin: where no needle begins with these four bytes, none is compared. */
const beginningBytes = 4;
const slots = 2 ** 16;

/** @returns the first of `needles` that is found, each of at least four bytes. */
export function findAny(text: string, needles: Iterable<string>): string | undefined {
  const haystack = Buffer.from(text);
  const byBeginning = new Map<number, Buffer[]>();
  const mayBegin = new Uint8Array(slots);
  for (const needle of needles) {
    const bytes = Buffer.from(needle);
    const beginning = bytes.readUInt32LE();
    byBeginning.set(beginning, [...(byBeginning.get(beginning) ?? []), bytes]);
    mayBegin[slotOf(beginning)] = 1;
  }
  for (let at = 0; at <= haystack.length - beginningBytes; at += 1) {
    const beginning = haystack.readUInt32LE(at);
    if (mayBegin[slotOf(beginning)] === 0) continue;
    for (const bytes of byBeginning.get(beginning) ?? []) {
      if (haystack.subarray(at, at + bytes.length).equals(bytes)) return bytes.toString();
    }
  }
  return undefined;
}

function slotOf(beginning: number): number {
  return (beginning ^ (beginning >>> 16)) & (slots - 1);
}
