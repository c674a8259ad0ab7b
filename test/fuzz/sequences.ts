/** Sequences of commands against the world, biased so that most of them get somewhere before they go wrong. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Coverage, type Place, type World, createWorld, peopleOfOneWorld } from './world.ts';

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
  pause: 2,
  press: 5,
  startOwn: 2,
  startOther: 3,
  startUnknown: 1,
  startAnew: 2,
  rival: 1,
  ringGenuine: 4,
  ringAgain: 1,
  ringForged: 1,
  useToken: 2,
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

/** What somebody does who just signs in, twice exchanging the code; beside each step what somebody else would do. */
const usual: readonly (readonly [Kind, ...Kind[]])[] = [
  ['selfieByAsker', 'selfieByOther', 'rival'],
  ['breathe', 'ringGenuine', 'byHand'],
  ['backByAsker', 'backWrong', 'backByOther'],
  ['pause', 'jump', 'backByOther'],
  ['finish', 'finishByOther'],
  ['exchange', 'backByOther'],
  ['exchange', 'backByOther', 'useToken'],
  ['startOwn', 'startAnew'],
  ['finish'],
  ['exchange', 'useToken'],
];

/** The usual way with another step here and there, and something else in between. */
const detour: fc.Arbitrary<Command[]> = fc
  .tuple(
    ...usual.map(([kind, ...others]) =>
      fc.record({
        taken: fc.oneof(
          { weight: 11, arbitrary: fc.constant<Kind | undefined>(kind) },
          { weight: 2, arbitrary: fc.constantFrom(undefined, ...others) },
        ),
        before: fc.oneof(
          { weight: 5, arbitrary: fc.array(command, { maxLength: 1 }) },
          { weight: 1, arbitrary: fc.constantFrom(...others, kind).map((one) => [usually(one)]) },
        ),
      }),
    ),
  )
  .map((steps) =>
    steps.flatMap(({ taken, before }) => (taken ? [...before, usually(taken)] : before)),
  );

function usually(kind: Kind): Command {
  return { kind, login: 0, pick: 0, isGood: true };
}

const placed = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Place>('together') },
  { weight: 2, arbitrary: fc.constant<Place>('two kinds of browser') },
  { weight: 2, arbitrary: fc.constant<Place>('another network') },
);

export const sequence = fc.record({
  place: placed,
  /** Before which command the process is replaced, in a few of them: it takes as long as several sequences. */
  restartBefore: fc.oneof(
    { weight: 39, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(12) },
  ),
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
    case 'pause':
      return world.jump(1);
    case 'press':
      return world.press(login);
    case 'startOwn':
      return world.start(0, pick, 'person');
    case 'startOther':
      return world.start(1, pick, 'person');
    case 'startUnknown':
      return world.start(pick, pick, 'unknown');
    case 'rival':
      return world.rival(pick);
    case 'startAnew':
      return world.start(isGood ? 0 : pick, pick, 'anew');
    case 'ringGenuine':
      return world.ringBell(login, isGood ? 0 : pick);
    case 'ringAgain':
      return world.ringAgain(pick);
    case 'ringForged':
      return world.ringForged(login, pick);
    case 'useToken':
      return world.useToken(pick);
    case 'byHand':
      return world.changeByHand(login, isGood);
    case 'leave':
      return world.leave(login, 0, pick);
    case 'leaveByOther':
      return world.leave(login, 1, pick);
    case 'jump':
      return world.jump(isGood ? pick % 3 : pick);
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
    ...{ restarts: 0, singleSignOn: 0, takenBack: 0, limited: 0 },
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
      fc.asyncProperty(sequence, async ({ place, restartBefore, commands }) => {
        inThisWorld += 1;
        if (inThisWorld >= peopleOfOneWorld) await anew();
        await world.mend();
        world.begin(place);
        await world.start(0, 0, 'person');
        await world.press(0);
        for (const [at, one] of commands.entries()) {
          if (at === restartBefore) await world.restart();
          await run(world, one);
        }
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
  expect(coverage.takenBack).toBeGreaterThan(atLeast(0.005));
  expect(coverage.restarts).toBeGreaterThanOrEqual(atLeast(0.005));
}
