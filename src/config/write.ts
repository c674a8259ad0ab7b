/** Where the value of a setting lies, and another value in its place. Pure, but for the file that is read. */
import { isDeepStrictEqual } from 'node:util';
import { isNode, parseDocument } from 'yaml';
import { parseFile } from './document.ts';
import { type Environment, valueFromText } from './environment.ts';
import type { Setting } from './settings.ts';

export type Place =
  /** Only who starts the process can change it. */
  | { in: 'environment'; variable: string }
  /** A file that holds this value alone. */
  | { in: 'value file'; file: string }
  | { in: 'configuration file'; file: string }
  | { in: 'nowhere' };

export function placeOf(
  setting: Setting,
  { env, fileName, fileText }: { env: Environment; fileName: string | undefined; fileText: string },
): Place {
  if (env[setting.env]) return { in: 'environment', variable: setting.env };
  const file = env[`${setting.env}_FILE`];
  if (file) return { in: 'value file', file };
  if (fileName === undefined || !parseFile(fileText, fileName).values.has(setting.key)) {
    return { in: 'nowhere' };
  }
  return { in: 'configuration file', file: fileName };
}

export type Value = string | readonly string[];
/** What takes the place of the values that stand there; of a setting that is no list there is one. */
export type Next = (now: readonly string[]) => Value;

/** In the environment or in a file of its own, where the text is the value alone. */
export function nextText(text: string, setting: Setting, next: Next): string {
  const now = text === '' ? [] : listOf(valueFromText(setting.schema, text), setting);
  const value = next(now);
  return typeof value === 'string' ? value : value.join(',');
}

/** In the configuration file. @throws as `withValue` does. */
export function withNext(text: string, setting: Setting, next: Next): string {
  const now = parseFile(text, '').values.get(setting.key)?.value;
  return withValue(text, setting, next(listOf(now, setting)));
}

function listOf(value: unknown, setting: Setting): readonly string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.every((one) => typeof one === 'string')) return list;
  throw new Error(`${setting.key} cannot be read where it stands: do it by hand`);
}

/**
 * The text with another value for the setting, and every other character as it was.
 * @throws when the value stands there in a form that cannot be exchanged, such as an alias.
 */
export function withValue(text: string, setting: Setting, value: Value): string {
  const node = parseDocument(text).getIn(setting.path, true);
  const range = isNode(node) ? node.range : undefined;
  if (!range) throw new Error(`${setting.key} cannot be exchanged in the configuration file`);
  const [start, end] = range;
  // What lies between a block and the next key counts as the block's.
  const block = text.slice(start, end);
  const after = block.slice(block.trimEnd().length);
  const changed = text.slice(0, start) + JSON.stringify(value) + after + text.slice(end);
  const found = parseFile(changed, '').values.get(setting.key)?.value;
  if (!isDeepStrictEqual(found, value)) {
    throw new Error(`${setting.key} cannot be exchanged in the configuration file: do it by hand`);
  }
  return changed;
}
