/**
 * ops/cli/ is the command line, a file a verb. A file only declares its command here and imports
 * its work when the command runs, so that `--help` answers at once. Errors are thrown; run.ts
 * prints them.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAccountsCommand } from './accounts.ts';
import { addClientsCommand } from './clients.ts';
import { addConfigCommand } from './config.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addInitCommand } from './init.ts';
import { addPolicyCommand } from './policy.ts';
import { addReviewsCommand } from './reviews.ts';
import { addServeCommand } from './serve.ts';
import { addSimulatorCommand } from './simulator.ts';

export function createProgram(): Command {
  const program = new Command('didit-oidc')
    .description(
      'An OpenID Connect provider whose login is a selfie, taken on a page hosted by Didit.',
    )
    .version(version());
  addServeCommand(program);
  addDemoCommand(program);
  addSimulatorCommand(program);
  addInitCommand(program);
  addConfigCommand(program);
  addDoctorCommand(program);
  addAccountsCommand(program);
  addReviewsCommand(program);
  addClientsCommand(program);
  addPolicyCommand(program);
  return program;
}

/** package.json lies as far above dist/ as it does above src/. */
function version(): string {
  const packageFile = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
}
