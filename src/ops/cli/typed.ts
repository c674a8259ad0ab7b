/** What people type after an option. */

const unitsMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * An ISO time, or as `36h` or `7d` so long ago, or ahead.
 * @throws in words for whoever typed it; `name` is the option.
 */
export function timeOf(name: string, text: string, way: 'ago' | 'ahead'): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) {
    const ms = Number(count) * unitsMs[unit as keyof typeof unitsMs];
    return Date.now() + (way === 'ago' ? -ms : ms);
  }
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return ms;
  const [long, example] = way === 'ago' ? ['long ago', '36h or 7d'] : ['long from now', '2h or 1d'];
  throw new Error(`${name} is an ISO time, or so ${long} as ${example}, and not "${text}"`);
}

/** Of an option that may be given several times. */
export const collect = (one: string, before: string[] = []): string[] => [...before, one];
