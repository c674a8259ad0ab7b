/**
 * ops/cli/ is the command line, a file a verb. A file only declares its command here and imports
 * its work when the command runs, so that `--help` answers at once. Errors are thrown; run.ts
 * prints them.
 */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { addAccountsCommand } from './accounts.ts';
import { addAuditCommand } from './audit.ts';
import { addBackupCommands } from './backup.ts';
import { addApiKeysCommand } from './api-keys.ts';
import { addClientsCommand } from './clients.ts';
import { asComplaint } from './complaint.ts';
import { addCompletionCommand } from './completion.ts';
import { addConfigCommand } from './config.ts';
import { addDemoCommand } from './demo.ts';
import { addDevicesCommand } from './devices.ts';
import { addDiditCommand } from './didit.ts';
import { addDoctorCommand } from './doctor.ts';
import { addGrantsCommand } from './grants.ts';
import { addHealthCommand } from './health.ts';
import { addInitCommand } from './init.ts';
import { addKeysCommand } from './keys.ts';
import { addOperatorsCommand } from './operators.ts';
import { addPolicyCommand } from './policy.ts';
import { addReviewsCommand } from './reviews.ts';
import { addServeCommand } from './serve.ts';
import { addSessionsCommand } from './sessions.ts';
import { addSimulatorCommand } from './simulator.ts';
import { addSpendingCommands } from './spending.ts';
import { Verb } from './verb.ts';

export function createProgram(): Command {
  const program = new Verb('didit-oidc')
    .description(
      'An OpenID Connect provider whose login is a selfie, taken on a page hosted by Didit.',
    )
    .version(version(), '--version')
    .configureOutput({ outputError: (text, write) => write(`${asComplaint(text)}\n`) });
  addServeCommand(program);
  addDemoCommand(program);
  addSimulatorCommand(program);
  addInitCommand(program);
  addConfigCommand(program);
  addDoctorCommand(program);
  addHealthCommand(program);
  addAccountsCommand(program);
  addReviewsCommand(program);
  addOperatorsCommand(program);
  addAuditCommand(program);
  addClientsCommand(program);
  addSessionsCommand(program);
  addGrantsCommand(program);
  addDevicesCommand(program);
  addApiKeysCommand(program);
  addPolicyCommand(program);
  addBackupCommands(program);
  addDiditCommand(program);
  addCompletionCommand(program);
  addKeysCommand(program);
  addSpendingCommands(program);
  return program;
}

/** package.json lies as far above dist/ as it does above src/. */
function version(): string {
  const packageFile = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
}
