/** `didit-oidc policy`: what a policy file says, and whether it decides what it is meant to. */
import type { Command } from 'commander';
import { print } from './people.ts';

export function addPolicyCommand(program: Command): void {
  const policy = program.command('policy').description('rules for how much proof a sign-in takes');
  policy
    .command('check')
    .description('report everything that is wrong with a policy file at once')
    .argument('[policy]', 'standard, strict or a file (default: the configured ones, else both)')
    .option('--config <file>', 'configuration file (default: CONFIG_FILE)')
    .option('--json', 'machine-readable')
    .action(
      async (
        nameOrPath: string | undefined,
        { json, config }: { json?: true; config?: string },
      ) => {
        const { checkPolicyFile, checkPolicyFiles, namedPolicies } =
          await import('./policy-test.ts');
        const checked =
          nameOrPath === undefined
            ? checkPolicyFiles(namedPolicies(config))
            : checkPolicyFile(nameOrPath);
        report(json, checked);
      },
    );
  policy
    .command('test')
    .description('hold a policy against its cases')
    .argument('[policy]', 'standard, strict or a file (default: the configured ones, else both)')
    .argument('[fixtures]', 'cases (default: NAME.fixtures.yaml beside the policy)')
    .option('--config <file>', 'configuration file (default: CONFIG_FILE)')
    .option('--json', 'machine-readable')
    .action(
      async (
        nameOrPath: string | undefined,
        fixtures: string | undefined,
        { json, config }: { json?: true; config?: string },
      ) => {
        const { namedPolicies, testPolicyFiles } = await import('./policy-test.ts');
        const names = nameOrPath === undefined ? namedPolicies(config) : [nameOrPath];
        report(json, testPolicyFiles(names, fixtures));
      },
    );
  policy
    .command('explain')
    .description('why a sign-in went as it did, and what a policy decides on the same signals now')
    .argument('<reference>', "as the person's page shows it")
    .argument('[policy]', 'standard, strict or a file (default: the configured one)')
    .option('--config <file>', 'configuration file (default: CONFIG_FILE)')
    .option('--json', 'machine-readable')
    .action(
      async (
        reference: string,
        nameOrPath: string | undefined,
        { json, config }: { json?: true; config?: string },
      ) => {
        const { explainSignIn } = await import('./policy-past.ts');
        report(json, await explainSignIn(reference, nameOrPath, config));
      },
    );
  policy
    .command('replay')
    .description('what another policy would have decided on the sign-ins of the last time')
    .argument('<policy>', 'standard, strict or a file')
    .requiredOption('--since <duration>', 'so many hours or days: 36h, 7d')
    .option('--config <file>', 'configuration file (default: CONFIG_FILE)')
    .option('--json', 'machine-readable')
    .action(
      async (
        nameOrPath: string,
        { json, config, since }: { json?: true; config?: string; since: string },
      ) => {
        const { replay } = await import('./policy-past.ts');
        report(json, await replay(nameOrPath, since, config));
      },
    );
}

export interface Report {
  isRight: boolean;
  lines: readonly string[];
  data: object;
}

function report(json: true | undefined, { isRight, lines, data }: Report): void {
  print(json ? { json } : {}, data, () => lines);
  if (!isRight) process.exitCode = 1;
}
