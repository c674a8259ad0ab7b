/** What a provider must not start with (safety-rules.ts), held against one configuration. */
import { parseKeySet } from './key-set.ts';
import type { ConfigProblem } from './problems.ts';
import { rules } from './safety-rules.ts';
import type { Config } from './schema.ts';

/**
 * @param jwksText what `jwksFile` holds, when it was named and could be read.
 * @param wrongKeys settings that were found wrong already; rules about them stay silent.
 * @param originOf tells where a setting came from.
 */
export function checkSafety(
  config: Config,
  jwksText: string | undefined,
  wrongKeys: ReadonlySet<string>,
  originOf: (key: string) => string,
): ConfigProblem[] {
  const jwks = jwksText === undefined ? undefined : parseKeySet(jwksText);
  return rules
    .filter(({ mode }) => mode === 'any' || mode === config.mode)
    .filter(({ setting }) => !wrongKeys.has(setting))
    .filter(({ comparedWith }) => comparedWith === undefined || !wrongKeys.has(comparedWith))
    .filter(({ refuses }) => refuses(config, jwks))
    .map(({ setting, message, fix }) => ({ key: setting, from: originOf(setting), message, fix }));
}
