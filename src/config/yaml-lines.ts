/** A YAML text with what is wrong with it, line by line. Pure. */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { closest } from './closest.ts';

export interface LineProblem {
  line: number;
  /** One or two clauses: what was expected and what was found. */
  message: string;
  fix: string;
}

export interface Entry {
  key: string;
  line: number;
  value: unknown;
}

export interface Lines {
  /** Undefined when the text is not YAML. */
  root: unknown;
  problems: LineProblem[];
  report(line: number, message: string, fix: string): void;
  lineOf(node: unknown): number;
  /** The plain value, or undefined for a list or a group. */
  scalar(node: unknown): unknown;
  items(node: unknown): readonly unknown[] | undefined;
  /** What stands below the keys that are `known`; all others are reported, as is what has no keys at all. */
  entries(node: unknown, known: readonly string[], where: string): ReadonlyMap<string, Entry>;
}

export function readLines(text: string): Lines {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  const problems: LineProblem[] = [];
  const report: Lines['report'] = (line, message, fix) => {
    problems.push({ line, message, fix });
  };
  const lineAt = (offset: number | undefined): number => counter.linePos(offset ?? 0).line || 1;
  const lineOf = (node: unknown): number => lineAt(isNode(node) ? node.range?.[0] : undefined);
  /** What an alias stands for; each is followed once and looked at flatly, so none unfolds. */
  const meant = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);

  for (const { pos, code } of document.errors) {
    const what = code.toLowerCase().replaceAll('_', ' ');
    const fix = 'Correct that line. A text with special characters needs quotes.';
    report(lineAt(pos[0]), `this is not YAML (${what})`, fix);
  }

  return {
    root: document.errors.length > 0 ? undefined : document.contents,
    ...{ problems, report, lineOf },
    scalar(node) {
      const content = meant(node);
      return isScalar(content) ? content.value : undefined;
    },
    items(node) {
      const content = meant(node);
      return isSeq(content) ? content.items : undefined;
    },
    entries(node, known, where) {
      const found = new Map<string, Entry>();
      const content = meant(node);
      if (!isMap(content)) {
        report(lineOf(node), `${where}: expected keys and values`, oneOf(known));
        return found;
      }
      for (const { key: keyNode, value } of content.items) {
        const key = isScalar(keyNode) ? String(keyNode.value) : '';
        const line = lineOf(keyNode);
        if (known.includes(key)) found.set(key, { key, line, value });
        else report(line, `${where}: there is no "${key}"`, suggestion(key, known));
      }
      return found;
    },
  };
}

export function suggestion(typed: string, known: readonly string[]): string {
  const near = closest(typed, new Map(known.map((name) => [name, name])));
  return near === undefined ? oneOf(known) : `Did you mean "${near}"?`;
}

export function oneOf(known: readonly (string | boolean)[]): string {
  const words = new Intl.ListFormat('en', { type: 'disjunction' });
  return `Known: ${words.format(known.map(String))}.`;
}
