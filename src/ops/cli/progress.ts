import { once } from 'node:events';

/** What long work says of itself on standard error: a line a second, and not one a record. */
const tellEveryMs = 1_000;

export function createTeller(): (line: string) => void {
  let toldAtMs = Date.now();
  return (line) => {
    if (Date.now() - toldAtMs < tellEveryMs) return;
    toldAtMs = Date.now();
    process.stderr.write(`${line}\n`);
  };
}

/** Prints a line of JSON of each, no faster than it is read. @param what they are, of many. */
export async function printEach(values: AsyncIterable<unknown>, what: string): Promise<void> {
  const tell = createTeller();
  let printed = 0;
  for await (const value of values) {
    const isTaken = process.stdout.write(`${JSON.stringify(value)}\n`);
    if (!isTaken) await once(process.stdout, 'drain');
    tell(`${(printed += 1)} ${what} printed`);
  }
}
