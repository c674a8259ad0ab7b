/**
 * From values with their places to a configuration, and to the words for each value that is
 * wrong.
 */
import type { ConfigProblem } from './problems.ts';
import { configSchema } from './schema.ts';
import type { Config } from './schema.ts';
import { settings } from './settings.ts';
import type { Setting } from './settings.ts';
import { treeOf } from './tree.ts';

/**
 * A value that an operator gave, and where: `config.yaml:12`, `environment ISSUER`, `command
 * line`.
 */
export interface Given {
  value: unknown;
  from: string;
}

const paths = settings.map((setting) => setting.path);

/**
 * Parses what was given. A setting that is wrong is reported and an example stands in for it, so
 * that the rules can still look at all the others; the caller never hands such a configuration out.
 */
export function parseGiven(given: ReadonlyMap<string, Given>): {
  config: Config;
  wrong: ConfigProblem[];
} {
  const wrong: ConfigProblem[] = [];
  const values = new Map([...given].map(([key, { value }]) => [key, value]));
  const checked = configSchema.safeParse(treeOf(paths, values));
  if (checked.success) return { config: checked.data, wrong };

  const wrongPaths = checked.error.issues.map((issue) => issue.path.join('.'));
  for (const setting of settings) {
    if (!wrongPaths.some((path) => `${path}.`.startsWith(`${setting.key}.`))) continue;
    wrong.push(describeWrong(setting, given.get(setting.key)));
    if (setting.required) values.set(setting.key, setting.example);
    else values.delete(setting.key);
  }
  return { config: configSchema.parse(treeOf(paths, values)), wrong };
}

function describeWrong(setting: Setting, given: Given | undefined): ConfigProblem {
  let found = 'nothing';
  if (given && !isEmpty(given.value)) {
    found = setting.secret ? 'a value that is not shown' : JSON.stringify(given.value);
  }
  const isOfFile = given?.from.startsWith(`${setting.env}_FILE `) === true;
  return {
    key: setting.key,
    from: given?.from ?? 'not set',
    message: `expected ${setting.expects}; found ${found}`,
    fix: isOfFile
      ? 'Write it into that file.'
      : `Set ${setting.key} in the file or ${setting.env} in the environment${example(setting)}.`,
  };
}

/** An empty text, or a list of one: how a file looks that is still to be filled in. */
const isEmpty = (value: unknown): boolean =>
  value === '' || (Array.isArray(value) && value.length === 1 && value[0] === '');

function example(setting: Setting): string {
  if (setting.secret) return '';
  return `, such as ${JSON.stringify(setting.example ?? setting.default)}`;
}
