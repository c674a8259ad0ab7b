/**
 * config/example.yaml and the file that `didit-oidc init` writes: every setting, with its
 * meaning above it.
 */
import { stringify } from 'yaml';
import { groups, settings } from './settings.ts';
import type { Group, Setting } from './settings.ts';

const width = 100;

/**
 * @param introduction sentences for the top of the file.
 * @param values settings by key, for instance `issuer`; all others stand there commented out.
 */
export function renderExample(
  introduction: readonly string[],
  values: ReadonlyMap<string, unknown>,
): string {
  const head = introduction.map((line) => `# ${line}`.trimEnd());
  const top = settings.filter(({ path }) => path.length === 1).map((it) => block(it, values));
  const below = groups.filter(({ path }) => path.length === 1).map((it) => section(it, values));
  return [head.join('\n'), ...top, ...below].join('\n\n') + '\n';
}

function section(group: Group, values: ReadonlyMap<string, unknown>): string {
  const isInside = ({ key }: { key: string }) => key.startsWith(`${group.key}.`);
  const indent = '  '.repeat(group.path.length - 1);
  const head = `${comment(group.meaning, indent)}\n${indent}${group.path.at(-1) ?? ''}:`;
  const isChild = ({ path }: Group | Setting) => path.length === group.path.length + 1;
  const own = settings.filter((it) => isInside(it) && isChild(it));
  const inner = groups.filter((it) => isInside(it) && isChild(it));
  return [
    head,
    ...own.map((it) => block(it, values)),
    ...inner.map((it) => section(it, values)),
  ].join('\n');
}

function block(setting: Setting, values: ReadonlyMap<string, unknown>): string {
  const { key, path, env } = setting;
  const indent = '  '.repeat(path.length - 1);
  const mark = values.has(key) ? '' : '#';
  const value = values.get(key) ?? setting.default ?? setting.example;
  const text = stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false });
  const line = `${indent}${mark}${path.at(-1) ?? key}: ${text.trimEnd()}`;
  const standing = `${defaultOf(setting)} Environment: ${env}.`;
  return `${comment(setting.meaning, indent)}\n${indent}# ${standing}\n${line}`;
}

function defaultOf(setting: Setting): string {
  if (setting.required) return 'Required.';
  if (setting.default === undefined) return 'No default.';
  return `Default: ${JSON.stringify(setting.default)}.`;
}

function comment(sentences: string, indent: string): string {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of sentences.split(' ')) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}
