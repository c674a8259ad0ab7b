/** How a load is put on a server, and what is read off it. */
import type { Load, Work } from './loads.ts';
import type { Server } from './process.ts';

const workers = 8;
const warmUpMs = 700;
const roundMs = 800;
const rounds = 5;

export interface Figures {
  cpuMsEach: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Each side in turn, A B A B: what else the machine does meanwhile meets both. */
export async function compare<Side extends string>(
  load: Load,
  sides: Record<Side, Server>,
): Promise<Record<Side, Figures>> {
  const names = Object.keys(sides) as Side[];
  const prepared = new Map<Side, Work[]>();
  for (const side of names) {
    const works = await Promise.all(Array.from({ length: workers }, () => load(sides[side])));
    prepared.set(side, works);
    await oneRound(sides[side], works, { forMs: warmUpMs });
  }
  const results = new Map<Side, Figures[]>(names.map((side) => [side, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const side of names) {
      const figures = await oneRound(sides[side], prepared.get(side) ?? [], { forMs: roundMs });
      results.get(side)?.push(figures);
    }
  }
  return Object.fromEntries(
    names.map((side) => [side, medianOf(results.get(side) ?? [])]),
  ) as Record<Side, Figures>;
}

/** @param until each worker repeats its work for so long, or takes from so many turns. */
export async function oneRound(
  server: Server,
  works: readonly Work[],
  until: { forMs: number } | { turns: number },
): Promise<Figures> {
  const latenciesMs: number[] = [];
  let turnsLeft = 'turns' in until ? until.turns : Infinity;
  const beginMs = performance.now();
  const endMs = 'forMs' in until ? beginMs + until.forMs : Infinity;
  const cpuBeforeMs = await server.cpuMs();
  await Promise.all(
    works.map(async (work) => {
      while (turnsLeft > 0 && performance.now() < endMs) {
        turnsLeft -= 1;
        const startMs = performance.now();
        await work();
        latenciesMs.push(performance.now() - startMs);
      }
    }),
  );
  const cpuMs = (await server.cpuMs()) - cpuBeforeMs;
  return {
    cpuMsEach: cpuMs / latenciesMs.length,
    perSecond: latenciesMs.length / ((performance.now() - beginMs) / 1000),
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
}

function medianOf(figures: readonly Figures[]): Figures {
  const median = (name: keyof Figures): number =>
    quantile(
      figures.map((each) => each[name]),
      0.5,
    );
  return {
    cpuMsEach: median('cpuMsEach'),
    perSecond: median('perSecond'),
    p50Ms: median('p50Ms'),
    p99Ms: median('p99Ms'),
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
