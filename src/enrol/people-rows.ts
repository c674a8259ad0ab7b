/**
 * The rows of a file of people, one after the other and never all at once: a JSON object a line (NDJSON), or CSV with
 * the names of the fields in its first line. What a row says is not judged here, only whether it can be read.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';

export type Row = { line: number } & (
  { fields: unknown; problem?: never } | { problem: string; fields?: never }
);

/** Far more than can be said of one person. */
const rowLengthAtMost = 64 * 1024;
/** What stands where bytes made no sense. */
const unreadable = '\uFFFD';
const otherEncoding = 'is not UTF-8: save the file in that encoding';

export function readRows(fileName: string): AsyncGenerator<Row> {
  return /\.csv$/i.test(fileName) ? readCsv(fileName) : readNdjson(fileName);
}

async function* readNdjson(fileName: string): AsyncGenerator<Row> {
  const input = createReadStream(fileName, 'utf8');
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    line += 1;
    const json = line === 1 ? text.replace(/^\uFEFF/, '') : text;
    if (json.trim() !== '') yield { line, ...readJson(json) };
  }
}

function readJson(text: string): { fields: unknown } | { problem: string } {
  if (text.length > rowLengthAtMost) return { problem: 'is too long for one person' };
  if (text.includes(unreadable)) return { problem: otherEncoding };
  try {
    return { fields: JSON.parse(text) as unknown };
  } catch {
    return { problem: 'is not JSON' };
  }
}

/** Groups are separated by semicolons; a field that is empty is not there. */
async function* readCsv(fileName: string): AsyncGenerator<Row> {
  // Behind a quote that makes no sense nobody can tell what is a row.
  let brokenAtLine = Infinity;
  const parser = parse({
    ...{ bom: true, info: true, skip_empty_lines: true, relax_column_count: true },
    max_record_size: rowLengthAtMost,
    skip_records_with_error: true,
    on_skip(error) {
      const { lines = 0 } = (error ?? {}) as { lines?: number };
      brokenAtLine = Math.min(brokenAtLine, lines);
      return undefined;
    },
  });
  const source = createReadStream(fileName);
  source.once('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let columns: string[] | undefined;
  for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
    const line = info.lines;
    if (line >= brokenAtLine) break;
    if (record.some((cell) => cell.includes(unreadable))) yield { line, problem: otherEncoding };
    else if (!columns) columns = record.map((name) => name.trim());
    else yield { line, ...named(columns, record) };
  }
  if (brokenAtLine < Infinity) {
    yield { line: brokenAtLine, problem: 'is not CSV, and what follows cannot be read' };
  }
}

interface CsvRecord {
  record: string[];
  info: { lines: number };
}

function named(
  columns: readonly string[],
  cells: readonly string[],
): { fields: unknown } | { problem: string } {
  if (cells.length !== columns.length) {
    return { problem: `has ${cells.length} fields, and the first line ${columns.length}` };
  }
  const filled = columns.flatMap((column, at) => {
    const cell = (cells[at] ?? '').trim();
    if (cell === '') return [];
    return [[column, column === 'groups' ? splitGroups(cell) : cell] as const];
  });
  // Two columns of one name would hide one of them.
  if (new Set(columns).size < columns.length) return { problem: 'has two fields of one name' };
  return { fields: Object.fromEntries(filled) };
}

function splitGroups(cell: string): string[] {
  return cell
    .split(';')
    .map((group) => group.trim())
    .filter((group) => group !== '');
}
