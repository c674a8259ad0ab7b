import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { settings } from '../../src/config/settings.ts';
import { createProgram } from '../../src/ops/cli/program.ts';
import { codeIn, documents, read } from './support.ts';

const variables = new Set(
  settings
    .flatMap(({ env, envWhenAbsent }) => [env, ...(envWhenAbsent ? [envWhenAbsent] : [])])
    .flatMap((name) => [name, `${name}_FILE`]),
);

/** Names that look like a setting's and are something else, with a file that knows them. */
const otherNames: Readonly<Record<string, string>> = {
  NAME_FILE: 'src/config/environment.ts',
  CONFIG_FILE: 'src/config/load.ts',
  TEST_REDIS_URL: 'test/support/redis-source.ts',
  TEST_REDIS_IMAGE: 'test/support/redis-source.ts',
  FUZZ_RUNS: 'test/security/fuzz-1.test.ts',
  FUZZ_SEED: 'test/security/fuzz-1.test.ts',
  FILES_DIRECTORY: 'docker-compose.yml',
  PUBLIC_PORT: 'docker-compose.yml',
  PUBLIC_TLS_PORT: 'docker-compose.yml',
  CONSOLE_PORT: 'docker-compose.yml',
  TLS_CERTIFICATE: 'docker-compose.yml',
  ENV_FILE: 'docker-compose.yml',
  DIDIT_OIDC_IMAGE: 'docker-compose.yml',
  NODE_EXTRA_CA_CERTS: 'src/web/mail-server.ts',
  FACE_MATCH: 'src/simulator/options.ts',
  IP_ANALYSIS: 'src/simulator/options.ts',
  ACTIVE_3D: 'src/simulator/options.ts',
  ID_VERIFICATION: 'src/simulator/options.ts',
};

const texts = [...documents, '.env.example', 'docker-compose.yml'];

test.each(documents)('every environment variable in %s is a setting', (name) => {
  const named = codeIn(read(name)).flatMap(
    (code) => code.match(/\b[A-Z][A-Z\d]+(_[A-Z\d]+)+\b/g) ?? [],
  );
  const unknown = new Set(named).difference(variables);
  expect([...unknown].filter((one) => !(one in otherNames))).toEqual([]);
});

test.each(Object.entries(otherNames))('%s is known to %s', (name, file) => {
  expect(read(file)).toContain(name);
});

test.each(texts)('every command in %s is one of the program, with its options', (name) => {
  const commands = codeIn(read(name)).flatMap((code) => {
    const command = /^(?:didit-oidc|node dist\/main\.js) +(.+)/.exec(code.trim())?.[1];
    return command === undefined ? [] : [command];
  });
  expect(commands.map(whatIsWrong).filter((wrong) => wrong !== undefined)).toEqual([]);
});

test.each(documents)('every npm script in %s is one of package.json', (name) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const called = codeIn(read(name)).flatMap((code) =>
    [...code.matchAll(/\bnpm (?:run ([\w:]+)|(test))/g)].map(([, run, plain]) => run ?? plain),
  );
  expect(called.filter((script) => script === undefined || !(script in scripts))).toEqual([]);
});

function whatIsWrong(line: string): string | undefined {
  let command: Command = createProgram();
  for (const word of line.split(/\s+/)) {
    const below = command.commands.find((one) => one.name() === word);
    if (below) command = below;
    else if (command.commands.length > 0) return `${line}: there is no "${word}"`;
    else if (word.startsWith('--') && !command.options.some(({ long }) => long === word)) {
      return `${line}: there is no option ${word}`;
    }
  }
  return undefined;
}
