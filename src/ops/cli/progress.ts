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
