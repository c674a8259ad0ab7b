/** What is wrong with a configuration, in words that name the key, the place and the way out. */

export interface ConfigProblem {
  /** `didit.apiKey`; for a problem of a whole file, the file's name. */
  key: string;
  /** Where the value came from: `config.yaml:12`, `environment ISSUER`, `default`. */
  from: string;
  /** One or two clauses: what was expected and what was found. Never a secret's value. */
  message: string;
  fix: string;
}

/** Thrown to leave a program whose configuration cannot be used. Its message is the whole list. */
export class ConfigurationError extends Error {
  readonly problems: readonly ConfigProblem[];

  /** @param hasFile whether there was a file to be read, or the environment alone. */
  constructor(problems: readonly ConfigProblem[], { hasFile = true } = {}) {
    const missing =
      'no configuration file: --config FILE or CONFIG_FILE; by the environment alone,\n';
    super(`${hasFile ? '' : missing}${describeProblems(problems)}`);
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

function describeProblems(problems: readonly ConfigProblem[]): string {
  const heading =
    problems.length === 1
      ? 'the configuration has a problem:'
      : `the configuration has ${problems.length} problems:`;
  const lines = problems.map(
    ({ key, from, message, fix }) => `- ${key} (${from}): ${message}\n  ${fix}`,
  );
  return [heading, ...lines].join('\n');
}
