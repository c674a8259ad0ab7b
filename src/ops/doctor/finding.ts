/** One line of what the doctor says. */
export interface Finding {
  /** What was looked at. */
  name: string;
  /** `problem`: people cannot sign in, or it is not safe. `warning`: it works, and could be better. */
  state: 'ok' | 'warning' | 'problem';
  /** Without secrets, and without anything of a person. */
  found: string;
  /** What to do. */
  advice?: string;
}

export const ok = (name: string, found: string): Finding => ({ name, state: 'ok', found });
export const warning = (name: string, found: string, advice: string): Finding => ({
  ...{ name, state: 'warning', found, advice },
});
export const problem = (name: string, found: string, advice: string): Finding => ({
  ...{ name, state: 'problem', found, advice },
});

/** For one line: without the stack, and with the reason that lies deepest. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}

/** "4 seconds", "2 hours": the size of a span of time. */
export function spanOf(seconds: number): string {
  const size = Math.abs(seconds);
  const [number, unit] =
    size < 120
      ? [size, 'second']
      : size < 7_200
        ? [size / 60, 'minute']
        : size < 172_800
          ? [size / 3600, 'hour']
          : [size / 86_400, 'day'];
  const rounded = Math.round(number);
  return `${rounded} ${unit}${rounded === 1 ? '' : 's'}`;
}
