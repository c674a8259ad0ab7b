/** Which policies are in force: the two that are shipped, and any file. */
import { readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Policy } from '../domain/policy.ts';
import { type ReadFile, errorCode } from './environment.ts';
import { type ParsedPolicy, parsePolicy } from './policy-file.ts';
import { type ConfigProblem, ConfigurationError } from './problems.ts';
import type { Given } from './parse.ts';
import type { Config } from './schema.ts';
import { settingByKey } from './settings.ts';

export const shippedPolicies: readonly string[] = ['standard', 'strict'];

// It lies as far above dist/ as it does above src/.
const shippedFolder = new URL('../../config/policy/', import.meta.url);

export interface Policies {
  /**
   * An app without a policy of its own, and one that registered itself, have the one for all.
   * @throws when the app wants one that is not here any more: nobody is let in by another.
   */
  forClient(client: { id: string; policy?: string }): Policy;
  /** For an app that is kept in the store: one that is in force here, or a shipped one. */
  named(name: string): Policy | undefined;
  /** Decides and is logged beside the one in force, and changes nothing. */
  shadow: Policy | undefined;
  /** Each one once, the one for all first, the shadow included. */
  list: readonly Policy[];
}

export function policyPath(nameOrPath: string): string {
  if (!shippedPolicies.includes(nameOrPath)) return nameOrPath;
  return fileURLToPath(new URL(`${nameOrPath}.yaml`, shippedFolder));
}

/** Decisions call a policy by the name of its file. */
export function policyNamed(nameOrPath: string, text: string): ParsedPolicy {
  return parsePolicy(text, basename(policyPath(nameOrPath)).replace(/\.ya?ml$/, ''));
}

/** @throws ConfigurationError with everything that is wrong with the file. */
export function loadPolicy(
  nameOrPath: string,
  readFile: ReadFile = readText,
  key = 'policyFile',
): Policy {
  const path = policyPath(nameOrPath);
  const parsed = policyNamed(nameOrPath, readNamed(path, readFile, key));
  if (parsed.ok) return parsed.policy;
  throw new ConfigurationError(inWords(key, path, parsed));
}

/** @returns what is wrong with the file of a setting, if that is one for policies. */
export function checkPolicy(
  key: string,
  text: string,
  given: ReadonlyMap<string, Given>,
  { didit }: Config,
): ConfigProblem[] {
  const nameOrPath = given.get(key)?.value;
  if (!settingByKey.get(key)?.shippedPolicy || typeof nameOrPath !== 'string') return [];
  const parsed = policyNamed(nameOrPath, text);
  if (parsed.ok) return key === 'policyFile' ? unpinned(parsed.policy, didit, key) : [];
  return inWords(key, policyPath(nameOrPath), parsed);
}

/** As problems of the configuration that names the file. */
function inWords(key: string, path: string, parsed: ParsedPolicy): ConfigProblem[] {
  if (parsed.ok) return [];
  return parsed.problems.map(({ line, message, fix }) => {
    return { key, from: `${path}:${line}`, message, fix };
  });
}

/** Why the policy cannot be in force with the reference face that is configured. */
function unpinned(
  { name, reference }: Policy,
  { faceReference }: Config['didit'],
  key: string,
): ConfigProblem[] {
  if (reference === 'any' || faceReference === 'portrait') return [];
  const message = `the policy "${name}" wants a reference face that we send ourselves`;
  const fix = 'Set didit.faceReference (DIDIT_FACE_REFERENCE) to portrait, or take another policy.';
  return [{ key, from: `didit.faceReference: ${faceReference}`, message, fix }];
}

type PolicySettings = Pick<Config, 'policyFile' | 'policyShadowFile' | 'clientsFile' | 'didit'>;

/**
 * @param clients each perhaps with the word `policy`; a file that it names lies beside the clients file.
 * @throws ConfigurationError with everything that is wrong with any of the files.
 */
export function createPolicies(
  { policyFile, policyShadowFile, clientsFile = '', didit }: PolicySettings,
  clients: readonly { client_id: string; policy?: unknown }[],
  readFile: ReadFile = readText,
): Policies {
  const problems: ConfigProblem[] = [];
  const byPath = new Map<string, Policy>();
  const byName = new Map<string, Policy>();
  const load = (nameOrPath: string, key: string): Policy | undefined => {
    const path = policyPath(nameOrPath);
    try {
      const policy = byPath.get(path) ?? loadPolicy(nameOrPath, readFile, key);
      problems.push(...namesake(policy, path, key));
      byPath.set(path, policy);
      return policy;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const inForce = (nameOrPath: string, key: string): Policy | undefined => {
    const policy = load(nameOrPath, key);
    if (policy) problems.push(...unpinned(policy, didit, key));
    return policy;
  };

  const forAll = inForce(policyFile, 'policyFile');
  const ofClients = new Map<string, Policy>();
  for (const { client_id: id, policy: word } of clients) {
    if (typeof word !== 'string') continue;
    const policy = inForce(beside(clientsFile, word), `policy of client "${id}"`);
    if (policy) ofClients.set(id, policy);
  }
  const shadow =
    policyShadowFile === undefined ? undefined : load(policyShadowFile, 'policyShadowFile');
  if (problems.length > 0 || forAll === undefined) throw new ConfigurationError(problems);
  return {
    forClient({ id, policy: name }) {
      const policy = ofClients.get(id) ?? (name === undefined ? forAll : named(name));
      if (!policy) throw new Error(`client "${id}": there is no policy "${name ?? ''}"`);
      return policy;
    },
    named,
    shadow,
    list: [...byPath.values()],
  };

  function named(name: string): Policy | undefined {
    const known = byName.get(name) ?? [...byPath.values()].find((one) => one.name === name);
    if (known === undefined && !shippedPolicies.includes(name)) return undefined;
    const policy = known ?? loadPolicy(name, readFile);
    byName.set(name, policy);
    return unpinned(policy, didit, name).length > 0 ? undefined : policy;
  }

  /** An audit entry names its policy, and that must be one. */
  function namesake({ name }: Policy, path: string, key: string): ConfigProblem[] {
    const other = [...byPath].find(([otherPath, one]) => one.name === name && otherPath !== path);
    if (other === undefined) return [];
    const message = `${other[0]} has the same name`;
    return [{ key, from: path, message, fix: 'Give one of the two files another name.' }];
  }
}

function beside(clientsFile: string, nameOrPath: string): string {
  if (shippedPolicies.includes(nameOrPath) || isAbsolute(nameOrPath)) return nameOrPath;
  return join(dirname(clientsFile), nameOrPath);
}

function readNamed(path: string, readFile: ReadFile, key: string): string {
  try {
    return readFile(path);
  } catch (error) {
    const message = `the file cannot be read (${errorCode(error)})`;
    const fix = 'Correct the path or let the service read the file.';
    throw new ConfigurationError([{ key, from: path, message, fix }]);
  }
}

function readText(fileName: string): string {
  return readFileSync(fileName, 'utf8');
}
