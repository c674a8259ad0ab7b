#!/usr/bin/env node
// Hands the arguments to the command line's program, prints a problem, sets the exit status.
import './ops/cli/without-proto.ts';
import { createProgram } from './ops/cli/program.ts';
import { run } from './ops/cli/run.ts';

await run(createProgram(), process.argv.slice(2));
