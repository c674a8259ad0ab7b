/**
 * The configuration in force, for a person: one line a setting, with where it came from, without
 * secrets.
 */
import type { Config } from './schema.ts';
import { settings } from './settings.ts';
import { valueAt } from './tree.ts';

export function describeConfig(config: Config, origins: ReadonlyMap<string, string>): string {
  const rows = settings.map(({ key, path, secret }) => {
    const value = valueAt(config, path);
    return { left: `${key}: ${shown(value, secret)}`, from: origins.get(key) ?? '' };
  });
  const width = Math.max(...rows.map(({ left }) => left.length).filter((length) => length < 70));
  return rows.map(({ left, from }) => `${left.padEnd(width)}  # ${from}\n`).join('');
}

function shown(value: unknown, secret: true | undefined): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '(not set)';
  return secret ? '(not shown)' : JSON.stringify(value);
}
