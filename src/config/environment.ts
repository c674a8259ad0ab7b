/**
 * Settings from environment variables: `NAME`, or `NAME_FILE` for the path of a file that holds
 * the value.
 */
import { z } from 'zod';
import type { Given } from './parse.ts';
import type { ConfigProblem } from './problems.ts';
import type { Setting } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (fileName: string) => string;

/** @returns the value, what is wrong with it, or undefined when the environment says nothing. */
export function readVariable(
  setting: Setting,
  env: Environment,
  readFile: ReadFile,
): Given | ConfigProblem | undefined {
  const names = [setting.env, ...(setting.envWhenAbsent ? [setting.envWhenAbsent] : [])];
  for (const name of names) {
    // Compose files and manifests hand on unset variables as empty ones, so empty means absent.
    const text = env[name] || undefined;
    const fileName = env[`${name}_FILE`] || undefined;
    if (text !== undefined && fileName !== undefined) return setTwice(setting, name);
    if (fileName !== undefined) return readSecretFile(setting, name, fileName, readFile);
    if (text !== undefined) {
      return { value: valueFromText(setting.schema, text), from: `environment ${name}` };
    }
  }
  return undefined;
}

function readSecretFile(setting: Setting, name: string, fileName: string, readFile: ReadFile) {
  const from = `${name}_FILE ${fileName}`;
  try {
    // Editors and `echo` end a file with one newline that is not part of the value.
    const text = readFile(fileName).replace(/\r?\n$/, '');
    return { value: valueFromText(setting.schema, text), from };
  } catch (error) {
    return {
      key: setting.key,
      from,
      message: `the file cannot be read (${errorCode(error)})`,
      fix: 'Correct the path or let the service read the file.',
    };
  }
}

function setTwice(setting: Setting, name: string): ConfigProblem {
  return {
    key: setting.key,
    from: `environment ${name} and ${name}_FILE`,
    message: 'expected one of the two variables, found both',
    fix: `Unset ${name} or ${name}_FILE.`,
  };
}

/** The system's name for what went wrong, such as ENOENT; its message would repeat the path. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown reason';
}

/**
 * Text that does not look like the wanted type stays text: the schema refuses it with the
 * setting's words.
 */
export function valueFromText(schema: z.core.$ZodType, text: string): unknown {
  if (schema instanceof z.ZodPipe) return valueFromText(schema.def.in, text);
  if (schema instanceof z.ZodUnion) {
    const values = schema.def.options.map((option) => valueFromText(option, text));
    return values.find((value) => typeof value !== 'string') ?? text;
  }
  if (schema instanceof z.ZodArray) return text.split(',').map((item) => item.trim());
  if (schema instanceof z.ZodNumber) return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (schema instanceof z.ZodBoolean || schema instanceof z.ZodLiteral) {
    return text === 'true' || (text === 'false' ? false : text);
  }
  return text;
}
