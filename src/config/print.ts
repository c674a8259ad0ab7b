/** The configuration in force, a line or an object a setting, with where it came from, without secrets. */
import type { Config } from './schema.ts';
import { settings } from './settings.ts';
import { valueAt } from './tree.ts';

export interface SettingInForce {
  key: string;
  set: boolean;
  secret?: true;
  /** Of what is set and no secret. */
  value?: unknown;
  from: string;
}

export function settingsInForce(
  config: Config,
  origins: ReadonlyMap<string, string>,
): SettingInForce[] {
  return settings.map(({ key, path, secret: isSecret }) => {
    const value = valueAt(config, path);
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    return {
      ...{ key, set: isSet },
      ...(isSecret ? { secret: true as const } : {}),
      ...(isSet && !isSecret ? { value } : {}),
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

function shown({ set, secret, value }: SettingInForce): string {
  if (!set) return '(not set)';
  return secret ? '(not shown)' : JSON.stringify(value);
}
