/** The first page: what waits for somebody, and whether all is well. */
import { countSignIns } from '../../acts/audit.ts';
import { listReviews } from '../../acts/reviews.ts';
import { costReport, getOutage } from '../../acts/spending.ts';
import type { ConsolePage } from '../page.ts';

export const overview: ConsolePage = {
  ...{ name: 'overview', path: '/', inMenu: 'Overview', role: 'viewer' },
  async show({ look, may }) {
    const [cases, didit, cost, signIns] = await Promise.all([
      may('reviewer') ? look(listReviews, { query: { status: 'open', limit: 100 } }) : undefined,
      look(getOutage),
      look(costReport),
      look(countSignIns),
    ]);
    const { day = '', ...today } = signIns.days[0] ?? {};
    return { title: 'Overview', data: { cases, didit, cost, day, today: Object.entries(today) } };
  },
};
