/** What is said on standard error, where others may have written what is quoted in it. */
import { asPlainLine } from '../../domain/line.ts';

export function complain(text: string): void {
  process.stderr.write(`${asComplaint(text)}\n`);
}

/** Lines after the first are set in, so that none of them passes for one of another command. */
export const asComplaint = (text: string): string =>
  text.trimEnd().split('\n').map(asPlainLine).join('\n  ');
