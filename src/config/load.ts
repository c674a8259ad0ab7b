/**
 * From what an operator wrote to one configuration: defaults < file < environment < NAME_FILE <
 * flags. `resolveConfig` is the whole of it and touches nothing; `loadConfig` is the thin edge that
 * reads files.
 */
import { readFileSync } from 'node:fs';
import { parseFile } from './document.ts';
import { errorCode, readVariable } from './environment.ts';
import type { Environment, ReadFile } from './environment.ts';
import { readNamedFiles, relativeTo } from './files.ts';
import { parseGiven } from './parse.ts';
import type { Given } from './parse.ts';
import { checkPolicy } from './policies.ts';
import { ConfigurationError } from './problems.ts';
import type { ConfigProblem } from './problems.ts';
import { checkSafety } from './safety.ts';
import type { Config, ConfigInput } from './schema.ts';
import { settings } from './settings.ts';
import { valueAt } from './tree.ts';

/** Settings from the command line or from a program that starts the provider itself. */
export type Flags = DeepPartial<ConfigInput>;
type DeepPartial<T> = T extends readonly unknown[] | string | number | boolean
  ? T
  : { [K in keyof T]?: DeepPartial<T[K]> };

export interface ConfigSources {
  fileText?: string | undefined;
  fileName?: string | undefined;
  env: Environment;
  readFile: ReadFile;
  flags?: Flags | undefined;
}

export type ResolvedConfig =
  | { ok: true; config: Config; origins: ReadonlyMap<string, string> }
  | { ok: false; problems: ConfigProblem[] };

/** Pure but for `readFile`. Problems of every source and every rule come back together. */
export function resolveConfig(sources: ConfigSources): ResolvedConfig {
  const { env, readFile, flags = {}, fileText = '', fileName = 'config.yaml' } = sources;
  const file = parseFile(fileText, fileName);
  // Everything that the file says would be reported as missing.
  if (file.isBroken) return { ok: false, problems: file.problems };
  const problems = [...file.problems];
  const given = new Map<string, Given>();

  for (const setting of settings) {
    const flag = valueAt(flags, setting.path);
    const variable = readVariable(setting, env, readFile);
    const line = file.values.get(setting.key);
    if (variable && 'message' in variable) problems.push(variable);
    if (flag !== undefined) given.set(setting.key, { value: flag, from: 'command line' });
    else if (variable && 'value' in variable) given.set(setting.key, variable);
    else if (line) given.set(setting.key, relativeTo(fileName, setting, line));
  }

  const { config, wrong } = parseGiven(given);
  const alreadyNamed = new Set(problems.map((problem) => problem.key));
  problems.push(...wrong.filter((problem) => !alreadyNamed.has(problem.key)));

  const files = readNamedFiles(given, readFile);
  problems.push(...files.problems);
  for (const [key, text] of files.texts) problems.push(...checkPolicy(key, text, given, config));
  const named = new Set(problems.map((problem) => problem.key));
  problems.push(...checkSafety(config, files.texts.get('jwksFile'), named, originOf));
  return problems.length > 0
    ? { ok: false, problems }
    : { ok: true, config, origins: new Map(settings.map(({ key }) => [key, originOf(key)])) };

  function originOf(key: string): string {
    return given.get(key)?.from ?? 'default';
  }
}

/**
 * Reads the file, when one is named here or by CONFIG_FILE, and what it and the environment point
 * to.
 * @throws ConfigurationError with the list of everything that is wrong.
 */
export function loadConfig(options: {
  fileName?: string | undefined;
  env: Environment;
  flags?: Flags | undefined;
  /** Hears of every file that counts. */
  readFile?: ReadFile | undefined;
}): { config: Config; origins: ReadonlyMap<string, string> } {
  const fileName = options.fileName ?? (options.env['CONFIG_FILE'] || undefined);
  const { env, flags, readFile = readText } = options;
  const fileText = fileName === undefined ? undefined : readConfigFile(fileName, readFile);
  const resolved = resolveConfig({ fileText, fileName, env, readFile, flags });
  const hasFile = fileName !== undefined;
  if (!resolved.ok) throw new ConfigurationError(resolved.problems, { hasFile });
  return resolved;
}

function readText(fileName: string): string {
  return readFileSync(fileName, 'utf8');
}

function readConfigFile(fileName: string, readFile: ReadFile): string {
  try {
    return readFile(fileName);
  } catch (error) {
    const message = `the file cannot be read (${errorCode(error)})`;
    const fix = 'Name an existing file with --config or CONFIG_FILE.';
    throw new ConfigurationError([{ key: fileName, from: 'configuration file', message, fix }]);
  }
}
