import type { Command } from 'commander';

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
    process.stderr.write(`didit-oidc: ${message}\n`);
    const isDebugging = /^(debug|trace)$/.test(process.env['LOG_LEVEL'] ?? '');
    if (isDebugging && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
    process.exitCode = 1;
  }
}
