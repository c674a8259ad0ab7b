/** What keys there are: what each is for, and where its values are in the configuration. */
import type { Setting } from '../../config/settings.ts';
import { settingByKey } from '../../config/settings.ts';
import { isoTime } from '../../domain/iso-time.ts';

export const keyUses = ['signing', 'cookies', 'store', 'webhook', 'didit', 'dpop'] as const;
export type KeyUse = (typeof keyUses)[number];

export interface KeyEntry {
  use: KeyUse;
  /** Tells keys apart, and gives nothing of them away. */
  id: string;
  alg?: string;
  state: 'published' | 'signing' | 'retiring' | 'retired' | 'current' | 'old';
  sinceMs?: number;
  /** When its state is next another one. */
  nextMs?: number;
}

/** As programs read it. */
export function keyView({ sinceMs, nextMs, ...key }: KeyEntry) {
  return {
    ...key,
    ...(sinceMs === undefined ? {} : { since: isoTime(sinceMs) }),
    ...(nextMs === undefined ? {} : { next: isoTime(nextMs) }),
  };
}

const settingKeys = {
  cookies: 'cookies.keys',
  store: 'store.encryptionKeys',
  webhook: 'didit.webhookSecrets',
  didit: 'didit.apiKey',
} as const;

export type SettingUse = keyof typeof settingKeys;

export function settingOf(use: SettingUse): Setting {
  const setting = settingByKey.get(settingKeys[use]);
  if (!setting) throw new Error(`there is no setting for ${use}`);
  return setting;
}
