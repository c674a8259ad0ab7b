/** Sequences of commands against the world, biased so that most of them get somewhere before they go wrong. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Coverage, type World, createWorld, peopleOfOneWorld } from './world.ts';

const kinds = {
  selfieByAsker: 10,
  selfieByOther: 4,
  backByAsker: 9,
  backByOther: 3,
  backWrong: 2,
  look: 4,
  lookByOther: 1,
  finish: 9,
  finishByOther: 2,
  exchange: 4,
  breathe: 6,
  press: 4,
  startOwn: 2,
  startOther: 2,
  startUnknown: 1,
  ringGenuine: 4,
  ringForged: 1,
  byHand: 2,
  leave: 2,
  leaveByOther: 1,
  jump: 3,
  webhooksFail: 1,
  apiFails: 1,
  mend: 1,
} as const;
type Kind = keyof typeof kinds;

const command = fc.record({
  kind: fc.oneof(
    ...(Object.entries(kinds) as [Kind, number][]).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind),
    })),
  ),
  login: fc.nat(3),
  pick: fc.nat(100),
  /** Most people take a good selfie; without them no sequence would get far. */
  isGood: fc.boolean(),
});
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** What somebody does who just signs in, twice exchanging the code. */
const usual: readonly Kind[] = [
  ...(['selfieByAsker', 'breathe', 'backByAsker', 'breathe', 'finish'] as const),
  ...(['exchange', 'exchange', 'startOwn', 'finish', 'exchange'] as const),
];

/** The usual way with a step left out here and there, and something else in between. */
const detour: fc.Arbitrary<Command[]> = fc
  .tuple(
    ...usual.map((kind) =>
      fc.record({
        isLeftOut: fc.integer({ min: 0, max: 11 }).map((one) => one === 0),
        instead: fc.array(command, { maxLength: 1 }),
        step: fc.constant<Command>({ kind, login: 0, pick: 0, isGood: true }),
      }),
    ),
  )
  .map((steps) =>
    steps.flatMap(({ isLeftOut, instead, step }) => (isLeftOut ? instead : [...instead, step])),
  );

export const sequence = fc.record({
  sameKind: fc.boolean(),
  commands: fc.oneof(
    fc.array(command, { minLength: 12, maxLength: 22, size: 'max' }),
    fc.tuple(detour, fc.array(command, { minLength: 2, maxLength: 4 })).map((both) => both.flat()),
  ),
});

async function run(world: World, { kind, login, pick, isGood }: Command): Promise<void> {
  const outcome = isGood ? 'approve' : world.outcomeOf(pick);
  switch (kind) {
    case 'selfieByAsker':
      return world.takeSelfie(login, 0, outcome);
    case 'selfieByOther':
      return world.takeSelfie(login, 1, outcome);
    case 'backByAsker':
      return world.comeBack(login, 0, 'right');
    case 'backByOther':
      return world.comeBack(login, 1, 'right');
    case 'backWrong':
      return world.comeBack(login, pick, isGood ? 'other' : 'wrong');
    case 'look':
      return world.look(login, 0);
    case 'lookByOther':
      return world.look(login, 1);
    case 'finish':
      return world.finish(login, 0);
    case 'finishByOther':
      return world.finish(login, 1);
    case 'exchange':
      return world.exchange(pick);
    case 'breathe':
      return world.breathe();
    case 'press':
      return world.press(login);
    case 'startOwn':
      return world.start(0, pick, 'person');
    case 'startOther':
      return world.start(1, pick, 'person');
    case 'startUnknown':
      return world.start(pick, pick, 'unknown');
    case 'ringGenuine':
      return world.ringBell(login, isGood ? 0 : pick, true);
    case 'ringForged':
      return world.ringBell(login, pick, false);
    case 'byHand':
      return world.changeByHand(login, isGood);
    case 'leave':
      return world.leave(login, 0, pick);
    case 'leaveByOther':
      return world.leave(login, 1, pick);
    case 'jump': {
      world.jump(isGood ? pick % 3 : pick);
      return;
    }
    case 'webhooksFail':
      await world.webhooksFail(pick);
      return;
    case 'apiFails':
      await world.apiFails(pick, pick);
      return;
    case 'mend':
      return world.mend();
  }
}

/** @param runs how many sequences. A failure is shrunk, and told with the seed that leads to it again. */
export async function fuzz(runs: number, seed: number): Promise<Coverage> {
  const coverage: Coverage = {
    ...{ codes: 0, tokens: 0, foreign: 0, denied: 0, replays: 0, forged: 0, byHand: 0 },
    ...{ restarts: 0, singleSignOn: 0 },
  };
  let world = await createWorld(coverage);
  let inThisWorld = 0;
  const anew = async (): Promise<void> => {
    inThisWorld = 0;
    await world.close();
    world = await createWorld(coverage);
  };
  try {
    await fc.assert(
      fc.asyncProperty(sequence, async ({ sameKind, commands }) => {
        inThisWorld += 1;
        if (inThisWorld >= peopleOfOneWorld) await anew();
        if (inThisWorld % 100 === 50) await world.restart();
        await world.mend();
        world.begin(sameKind);
        await world.start(0, 0, 'person');
        await world.press(0);
        for (const one of commands) await run(world, one);
      }),
      { numRuns: runs, seed },
    );
  } finally {
    await world.close();
  }
  return coverage;
}

/** Else the doors would only have been tried while they were shut. */
export function expectCovered(coverage: Coverage, runs: number): void {
  const atLeast = (share: number): number => Math.floor(runs * share);
  expect(coverage.codes).toBeGreaterThan(atLeast(0.1));
  expect(coverage.tokens).toBeGreaterThan(atLeast(0.03));
  expect(coverage.foreign).toBeGreaterThan(atLeast(0.1));
  expect(coverage.denied).toBeGreaterThan(atLeast(0.1));
  expect(coverage.forged).toBeGreaterThan(atLeast(0.5));
  expect(coverage.byHand).toBeGreaterThan(atLeast(0.05));
  expect(coverage.replays).toBeGreaterThan(atLeast(0.002));
  expect(coverage.singleSignOn).toBeGreaterThan(atLeast(0.005));
}
