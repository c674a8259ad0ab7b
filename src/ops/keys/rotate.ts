/**
 * A new key of each kind, put where the configuration has the old one; the running processes see the file change. What
 * has to be known by everybody before it is used gets a time from which on it is used.
 */
import { readFileSync } from 'node:fs';
import type { JWK } from 'jose';
import type { Environment } from '../../config/environment.ts';
import { generateSigningKey, randomKey } from '../../config/keys.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { type Next, type Place, nextText, placeOf, withNext } from '../../config/write.ts';
import { parseDated, writeDated } from '../../domain/dated.ts';
import type { Record } from '../../domain/event.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { withNewKey } from '../../domain/signing-keys.ts';
import { type LivingKey, parseJwks, signingAlgorithms } from '../../oidc/keys.ts';
import { nonceSecretOf } from '../../oidc/nonce-secret.ts';
import { refreshTokenSeconds } from '../../oidc/provider.ts';
import type { Store } from '../../store/store.ts';
import { keyIdOf } from '../../store/keyring.ts';
import { listKeys, shortId } from './list.ts';
import { CannotWrite, replaceFile } from './replace-file.ts';
import { createRetire, jwksFileMissing, requireFile, writeSet } from './retire.ts';
import { type KeyEntry, type KeyUse, type SettingUse, settingOf } from './uses.ts';

export interface KeysTools {
  /** As the provider is started with. */
  fileName: string | undefined;
  env: Environment;
  /** Of the provider, for what lies there. */
  store: Pick<Store, 'get' | 'put'>;
  clock: () => number;
  record: Record;
  /** A harmless call with the key that is to take the place of Didit's. @throws with the reason why it is no use. */
  tryDiditKey: (config: Config, key: string) => Promise<void>;
}

export interface RotateOptions {
  /** Who does it. */
  by: string;
  /** Used at once, whoever may not know it yet. */
  isNow?: boolean;
  /** What Didit made: a webhook secret, an API key. */
  value?: string | undefined;
}

export interface Rotated {
  use: KeyUse;
  ids: string[];
  /** From when on it is used. */
  fromMs: number;
}

/** As programs read it. */
export function rotatedView({ fromMs, ...rotated }: Rotated) {
  return { ...rotated, from: isoTime(fromMs) };
}

/** For so long both of two webhook secrets count: whoever changes ours first has this long to change Didit's. */
const webhookOverlapMs = 7 * 86_400_000;

export type Keys = ReturnType<typeof createKeys>;

export function createKeys(tools: KeysTools) {
  const { clock, record } = tools;
  const fileName = tools.fileName ?? (tools.env['CONFIG_FILE'] || undefined);
  const load = (): Config => loadConfig({ fileName, env: tools.env }).config;
  const nonces = nonceSecretOf(tools.store, { clock, random: randomKey });

  async function list(): Promise<KeyEntry[]> {
    const config = load();
    const text = config.jwksFile && readFileSync(config.jwksFile, 'utf8');
    const jwks = text ? parseJwks(text).keys : [];
    return listKeys({ config, jwks, nonces: await nonces.load(), nowMs: clock() });
  }

  function placeIn(use: SettingUse): Place {
    const fileText = fileName === undefined ? '' : readFileSync(fileName, 'utf8');
    return placeOf(settingOf(use), { env: tools.env, fileName, fileText });
  }

  /** @throws CannotWrite where the new key cannot be put; nothing is changed then. */
  async function rotate(use: KeyUse, options: RotateOptions): Promise<Rotated> {
    const rotated = await rotators[use](load(), options);
    const object = `${use}:${rotated.ids.join(',')}`;
    record({ event: 'key.rotated', atMs: clock(), object, operators: [options.by] });
    return { use, ...rotated };
  }

  const rotators: { [U in KeyUse]: Rotate } = {
    signing: (config, { isNow }) => rotateSigning(config, clock(), isNow),
    async cookies(config, { isNow }) {
      const fromMs = beginning(isNow ? 0 : config.keys.spreadForSeconds, clock());
      const untilMs = fromMs + config.session.maxAgeSeconds * 1000;
      const secret = randomKey();
      await exchange('cookies', (keys) => [
        writeDated({ secret, fromMs, untilMs: Infinity }),
        // A session that began the moment before is found by its old cookie until its end.
        ...keys.map((text) => endingAt(text, untilMs)),
      ]);
      return { ids: [shortId(secret)], fromMs };
    },
    async store({ keys }, { isNow }) {
      const fromMs = beginning(isNow ? 0 : keys.spreadForSeconds, clock());
      const secret = randomKey();
      const fresh = writeDated({ secret, fromMs, untilMs: Infinity });
      await exchange('store', (before) => [fresh, ...before]);
      return { ids: [keyIdOf(secret)], fromMs };
    },
    async webhook(_, { value }) {
      const secret = given(value, 'the secret of the webhook destination at Didit');
      const nowMs = beginning(0, clock());
      await exchange('webhook', (secrets) => [
        secret,
        ...secrets
          .filter((text) => parseDated(text)?.secret !== secret)
          .map((text) => endingAt(text, nowMs + webhookOverlapMs)),
      ]);
      return { ids: [shortId(secret)], fromMs: nowMs };
    },
    async didit(config, { value }) {
      const secret = given(value, 'the new API key');
      await tools.tryDiditKey(config, secret);
      await exchange('didit', () => secret);
      return { ids: [shortId(secret)], fromMs: clock() };
    },
    async dpop({ keys }, { isNow }) {
      const fromMs = beginning(isNow ? 0 : keys.spreadForSeconds, clock());
      await nonces.rotate(fromMs);
      return { ids: [], fromMs };
    },
  };

  /**
   * Puts another value in the place where the configuration has it, made of what stands there in this moment: somebody
   * else may have made a key since the configuration was read.
   */
  async function exchange(use: SettingUse, next: Next): Promise<void> {
    const setting = settingOf(use);
    const place = placeIn(use);
    switch (place.in) {
      case 'environment': {
        const { variable } = place;
        const message = `${variable} comes from the environment: set it there, and start the processes anew one after the other`;
        const instead = nextText(tools.env[variable] ?? '', setting, next);
        throw new CannotWrite(message, `${variable}=${instead}`);
      }
      case 'value file':
        return replaceFile(place.file, (text) => `${nextText(text.trim(), setting, next)}\n`);
      case 'configuration file':
        return replaceFile(place.file, (text) => withNext(text, setting, next));
      case 'nowhere': {
        const message = `${setting.key} is not set: there is none to rotate`;
        throw new CannotWrite(message, `${setting.env}=${nextText('', setting, next)}`);
      }
    }
  }

  const whyFixed = (): Fixed => fixedIn(load(), placeIn);

  return { list, whyFixed, rotate, ...createRetire({ load, exchange, clock, record }) };
}

/** Why a key is in no file that could be written. */
type Fixed = { [U in KeyUse]?: string };

function fixedIn({ jwksFile }: Config, placeIn: (use: SettingUse) => Place): Fixed {
  const whyNot = (use: SettingUse): Fixed => {
    const place = placeIn(use);
    if (place.in === 'environment') {
      return { [use]: `${place.variable} comes from the environment` };
    }
    return place.in === 'nowhere' ? { [use]: `${settingOf(use).key} is not set` } : {};
  };
  return {
    ...(jwksFile === undefined ? { signing: jwksFileMissing } : {}),
    ...whyNot('cookies'),
    ...whyNot('store'),
  };
}

type Rotate = (config: Config, options: RotateOptions) => Promise<Omit<Rotated, 'use'>>;

async function rotateSigning(
  config: Config,
  nowMs: number,
  isNow = false,
): Promise<Omit<Rotated, 'use'>> {
  const { jwksFile, keys, session } = config;
  const file = requireFile(jwksFile);
  const nowSeconds = Math.floor(nowMs / 1000);
  const signsFrom = nowSeconds + (isNow ? 0 : keys.publishedForSeconds);
  const dates = { nowSeconds, signsFrom, keptForSeconds: keptForSeconds(session) };
  const fresh = await Promise.all(signingAlgorithms.map(generateSigningKey));
  await replaceFile(file, (text) => {
    const set = parseJwks(text);
    const after = fresh.reduce<LivingKey[]>((all, key) => withNewKey(all, key, dates), set.keys);
    return writeSet(after);
  });
  return { ids: fresh.map(({ kid }: JWK) => kid ?? ''), fromMs: signsFrom * 1000 };
}

/**
 * How long a key is published after the last thing that it signed. Access tokens and logout tokens are over within
 * minutes or hours. An ID token is shown again as a hint for as long as an app is signed in: as long as the session
 * lasts and, from its end, a refresh token.
 */
function keptForSeconds({ maxAgeSeconds }: Config['session']): number {
  return maxAgeSeconds + refreshTokenSeconds;
}

/** To the second, as it is written down. */
const beginning = (inSeconds: number, nowMs: number): number =>
  (Math.floor(nowMs / 1000) + inSeconds) * 1000;

/** What has an end keeps it; what has spaces in it cannot have one. */
function endingAt(text: string, untilMs: number): string {
  const dated = parseDated(text);
  return dated?.untilMs === Infinity ? writeDated({ ...dated, untilMs }) : text;
}

function given(value: string | undefined, what: string): string {
  if (value === undefined || value === '') throw new Error(`give ${what}`);
  return value;
}
