/** The configuration in force, a line or an object a setting, with where it came from, without secrets. */
import type { Config } from './schema.ts';
import { settings } from './settings.ts';
import { valueAt } from './tree.ts';

export interface SettingInForce {
  key: string;
  isSet: boolean;
  isSecret?: true;
  /** Of what is set and no secret. */
  value?: unknown;
  from: string;
}

export function settingsInForce(
  config: Config,
  origins: ReadonlyMap<string, string>,
): SettingInForce[] {
  return settings.map(({ key, path, secret }) => {
    const value = valueAt(config, path);
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    return {
      ...{ key, isSet },
      ...(secret ? { isSecret: true as const } : {}),
      ...(isSet && !secret ? { value } : {}),
      from: origins.get(key) ?? '',
    };
  });
}

export function describeConfig(config: Config, origins: ReadonlyMap<string, string>): string {
  const rows = settingsInForce(config, origins).map((one) => ({
    left: `${one.key}: ${shown(one)}`,
    from: one.from,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length).filter((length) => length < 70));
  return rows.map(({ left, from }) => `${left.padEnd(width)}  # ${from}\n`).join('');
}

function shown({ isSet, isSecret, value }: SettingInForce): string {
  if (!isSet) return '(not set)';
  return isSecret ? '(not shown)' : JSON.stringify(value);
}
