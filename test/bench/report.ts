/** What is printed, and what is owed. */
import type { Figures } from './measure.ts';

export interface Owed {
  what: string;
  unit: string;
  atMost: number;
  measured: number;
}

export function figureLine(name: string, { cpuMsEach, perSecond, p50Ms, p99Ms }: Figures): string {
  return [
    name.padEnd(46),
    cpuMsEach.toFixed(3).padStart(10),
    perSecond.toFixed(0).padStart(8),
    p50Ms.toFixed(1).padStart(9),
    p99Ms.toFixed(1).padStart(9),
  ].join('');
}

export const figureHeader = [
  ''.padEnd(46),
  'CPU ms'.padStart(10),
  'each/s'.padStart(8),
  'p50 ms'.padStart(9),
  'p99 ms'.padStart(9),
].join('');

export function owedLine({ what, unit, atMost, measured }: Owed): string {
  const text = `owed ≤ ${atMost}${unit}, measured ${measured.toFixed(2)}${unit}`;
  return `${what.padEnd(46)}${text}${measured <= atMost ? '' : '   MISSED'}`;
}
