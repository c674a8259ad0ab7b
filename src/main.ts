#!/usr/bin/env node
// Hands the arguments to the command line's program, prints a problem, sets the exit status. Everything else is
// imported once it is known that this Node can read it: an older one fails with a riddle.
const oldestMajor = 24;
const { node: version } = process.versions;

if (Number.parseInt(version) < oldestMajor) {
  process.stderr.write(
    `didit-oidc needs Node ${oldestMajor} or later; this is ${version} (${process.execPath})\n`,
  );
  process.exitCode = 1;
} else {
  await import('./ops/cli/without-proto.ts');
  const { createProgram } = await import('./ops/cli/program.ts');
  const { run } = await import('./ops/cli/run.ts');
  await run(createProgram(), process.argv.slice(2));
}
