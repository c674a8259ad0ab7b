/** Variables that look like settings and are none: nothing is made of them, and whoever wrote one should hear of it. */
import { closest } from './closest.ts';
import type { Environment } from './environment.ts';
import { settings } from './settings.ts';

/** Words that no other program's variables begin with, as a rule. What desktops and platforms set is not among them. */
const ours = /^(AUDIT|COOKIE|COST|DIDIT|KEYS|LIMITS|MANAGEMENT|OPERATOR|PEOPLE|REVIEWS|STORE)_/;
/** A service of this name in Kubernetes brings them, and docker-compose.yml its own. */
const others = /^DIDIT_OIDC_/;

/** @returns a line for each, with the setting that was meant, if one is near. */
export function strangeVariables(env: Environment): string[] {
  const names = settings.flatMap(({ env: name, envWhenAbsent }) =>
    [name, ...(envWhenAbsent === undefined ? [] : [envWhenAbsent])].flatMap((one) => [
      one,
      `${one}_FILE`,
    ]),
  );
  const known = new Map(names.map((name) => [name, name]));
  return Object.keys(env)
    .filter((name) => ours.test(name) && !others.test(name) && !known.has(name))
    .map((name) => {
      const meant = closest(name, known);
      const advice = meant === undefined ? '' : ` Did you mean ${meant}?`;
      return `${name} is no setting, and nothing is made of it.${advice}`;
    });
}
