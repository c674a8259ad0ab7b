import type { Command } from 'commander';
import { complain } from './complaint.ts';

/**
 * Runs one command. Whoever typed it gets the reason, not a stack; LOG_LEVEL=debug adds that for
 * whoever looks for a defect of ours. The exit status is set and not forced, so that output is
 * written out first.
 */
export async function run(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    complain(`didit-oidc: ${message}`);
    process.stderr.write(adviceFor(error));
    const isDebugging = /^(debug|trace)$/.test(process.env['LOG_LEVEL'] ?? '');
    if (isDebugging && error instanceof Error) complain(error.stack ?? '');
    process.exitCode = 1;
  }
}

function adviceFor(error: unknown): string {
  if (!(error instanceof Error && 'code' in error) || error.code !== 'EADDRINUSE') return '';
  return 'Another process has this port: stop it, or choose others (PORT, MANAGEMENT_PORT). The demo takes 3000 to 3003.\n';
}
