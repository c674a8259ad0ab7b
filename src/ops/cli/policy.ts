/** `didit-oidc policy`: what a policy file says, and whether it decides what it is meant to. */
import type { Command } from 'commander';

export function addPolicyCommand(program: Command): void {
  const policy = program.command('policy').description('rules for how much proof a sign-in takes');
  policy
    .command('check')
    .description('report everything that is wrong with a policy file at once')
    .argument('<policy>', 'standard, strict or a file')
    .option('--json', 'machine-readable')
    .action(async (nameOrPath: string, { json }: { json?: true }) => {
      const { checkPolicyFile } = await import('./policy-test.ts');
      report(json, checkPolicyFile(nameOrPath));
    });
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
}

export interface Report {
  isRight: boolean;
  lines: readonly string[];
  data: object;
}

function report(json: true | undefined, { isRight, lines, data }: Report): void {
  process.stdout.write(`${json ? JSON.stringify(data) : lines.join('\n')}\n`);
  if (!isRight) process.exitCode = 1;
}
