/** Half of the attack sequences; the other half runs beside it. FUZZ_RUNS and FUZZ_SEED choose others. */
import { it } from 'vitest';
import { expectCovered, fuzz } from '../fuzz/sequences.ts';

const runs = Number(process.env.FUZZ_RUNS ?? 10_000) / 2;
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Date.now() / 1000)) * 2 + 0;

it(
  `[RL-09] ${runs} sequences of attacks let nobody in who was not there (seed ${seed})`,
  { timeout: 20 * 60_000 + runs * 1_000 },
  async () => {
    const coverage = await fuzz(runs, seed);
    process.stdout.write(`attack sequences: ${runs}, seed ${seed}, ${JSON.stringify(coverage)}\n`);
    expectCovered(coverage, runs);
  },
);
