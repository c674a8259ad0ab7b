/**
 * The schema as a flat list of settings and groups, for everything that goes through all of
 * them.
 */
import { z } from 'zod';
import type { Metadata } from './kinds.ts';
import { configSchema } from './schema.ts';

export interface Setting extends Metadata {
  /** `['didit', 'apiKey']` */
  path: readonly string[];
  /** `didit.apiKey` */
  key: string;
  meaning: string;
  schema: z.core.$ZodType;
  /** As an operator would write it; undefined when there is none. */
  default: unknown;
  required: boolean;
}

export interface Group {
  path: readonly string[];
  key: string;
  meaning: string;
}

/** Every setting, in the order of the schema. */
export const settings: readonly Setting[] = [...settingsBelow(configSchema, [])];

/** Every group of settings, outer ones first. */
export const groups: readonly Group[] = [...groupsBelow(configSchema, [])];

export const settingByKey: ReadonlyMap<string, Setting> = new Map(
  settings.map((setting) => [setting.key, setting]),
);

function* settingsBelow(schema: z.core.$ZodType, path: readonly string[]): Generator<Setting> {
  const { inner, fallback, optional } = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    for (const [name, child] of childrenOf(inner)) {
      yield* settingsBelow(child, [...path, name]);
    }
    return;
  }
  const { description, ...metadata } = metadataOf(inner);
  yield {
    ...(metadata as unknown as Metadata),
    path,
    key: path.join('.'),
    meaning: description ?? '',
    schema: inner,
    default: fallback,
    required: !optional && fallback === undefined,
  };
}

function* groupsBelow(schema: z.core.$ZodType, path: readonly string[]): Generator<Group> {
  const { inner } = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return;
  const { description } = metadataOf(inner);
  if (path.length > 0) yield { path, key: path.join('.'), meaning: description ?? '' };
  for (const [name, child] of childrenOf(inner)) {
    yield* groupsBelow(child, [...path, name]);
  }
}

function childrenOf(object: z.ZodObject): [string, z.core.$ZodType][] {
  const shape = object.shape as z.core.$ZodShape;
  return Object.entries(shape);
}

/** Takes off what says "may be left out", and remembers what it said. */
function unwrap(schema: z.core.$ZodType) {
  let inner = schema;
  let fallback: unknown;
  let optional = false;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodOptional
  ) {
    if (inner instanceof z.ZodOptional) optional = true;
    else fallback = inner.def.defaultValue;
    inner = inner.def.innerType;
  }
  return { inner, fallback, optional };
}

function metadataOf(schema: z.core.$ZodType) {
  return z.globalRegistry.get(schema) ?? {};
}
