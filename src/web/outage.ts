/** On which pages it is said that selfies do not work: those that ask for one, and those that come after one. */
import type { Page } from './pages.ts';

const pages: ReadonlySet<Page['page']> = new Set([
  ...(['capture', 'document', 'fallback', 'handoff', 'phoneSelfie', 'secondLeg'] as const),
]);

export const saysOutage = ({ page }: Page): boolean => pages.has(page);
