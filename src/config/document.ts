/** A configuration file as settings with line numbers. Pure: text in, values and problems out. */
import { isAlias, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Document, YAMLMap } from 'yaml';
import type { Given } from './parse.ts';
import type { ConfigProblem } from './problems.ts';
import { groups, settingByKey, settings } from './settings.ts';
import { closest } from './closest.ts';

export interface ParsedFile {
  values: Map<string, Given>;
  problems: ConfigProblem[];
  /** Not even YAML: what the file says about any setting is unknown. */
  isBroken: boolean;
}

const groupKeys = new Set(groups.map((group) => group.key));

export function parseFile(fileText: string, fileName: string): ParsedFile {
  const parsed: ParsedFile = { values: new Map(), problems: [], isBroken: false };
  const lines = new LineCounter();
  // The library's own messages quote the text around an error, which may be a secret; its codes do
  // not.
  const document = parseDocument(fileText, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => `${fileName}:${lines.linePos(offset).line}`;

  for (const error of document.errors) {
    parsed.problems.push({
      key: fileName,
      from: place(error.pos[0]),
      message: `this is not YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`,
      fix: 'Correct that line. A text with special characters needs quotes.',
    });
  }
  if (document.errors.length > 0) return { ...parsed, isBroken: true };
  if (document.contents === null) return parsed;
  if (isMap(document.contents)) readGroup(document, document.contents, [], place, parsed);
  else return { ...parsed, problems: [notAGroup(fileName, place(0))], isBroken: true };
  return parsed;
}

function readGroup(
  document: Document,
  map: YAMLMap,
  path: readonly string[],
  place: (offset: number) => string,
  parsed: ParsedFile,
): void {
  for (const { key: keyNode, value: node } of map.items) {
    const name = isScalar(keyNode) ? String(keyNode.value) : '';
    const key = [...path, name].join('.');
    const from = place((isScalar(keyNode) ? keyNode.range?.[0] : undefined) ?? 0);
    const content = isAlias(node) ? node.resolve(document) : node;
    // A key without a value is a key left out: that is how people comment the inside of a group.
    const isEmpty = content === null || (isScalar(content) && content.value === null);

    if (settingByKey.has(key)) {
      if (!isEmpty) parsed.values.set(key, { value: plainValue(document, content), from });
    } else if (!groupKeys.has(key)) {
      parsed.problems.push(unknownKey(key, name, from));
    } else if (isMap(content)) {
      readGroup(document, content, [...path, name], place, parsed);
    } else if (!isEmpty) {
      parsed.problems.push(notAGroup(key, from));
    }
  }
}

/**
 * An alias without its anchor, or one that unfolds without end, becomes null, which no setting
 * accepts.
 */
function plainValue(document: Document, content: unknown): unknown {
  if (!isNode(content)) return null;
  try {
    return content.toJS(document, { maxAliasCount: 10 });
  } catch {
    return null;
  }
}

function unknownKey(key: string, name: string, from: string): ConfigProblem {
  const names = new Map<string, string>();
  // Whole keys go last, so that none is hidden by another group's setting of the same name.
  for (const setting of settings) {
    names.set(setting.path.at(-1) ?? '', setting.key);
    names.set(setting.env, setting.key);
  }
  for (const { key: known } of [...groups, ...settings]) names.set(known, known);
  const suggestion = closest(key, names) ?? closest(name, names);
  return {
    key,
    from,
    message: 'there is no such key',
    fix: suggestion ? `Did you mean "${suggestion}"?` : 'Remove it.',
  };
}

function notAGroup(key: string, from: string): ConfigProblem {
  return {
    key,
    from,
    message: 'expected keys and values below this, found something else',
    fix: 'Write one "key: value" a line, indented below it.',
  };
}
