/** The group of the schema about money: what Didit charges, and how much may be spent. See docs/cost.md. */
import { z } from 'zod';
import * as kind from './kinds.ts';

const { setting, listOf, oneOf } = kind;

const cap = (meaning: string, env: string, example: number) =>
  setting(kind.amount, meaning, { env, example }).optional();

export const cost = z
  .strictObject({
    pricePassive: setting(
      kind.amount,
      'What Didit charges for one selfie of a login, in US dollars.',
      { env: 'COST_PRICE_PASSIVE' },
    ).default(0.1),
    priceActive: setting(
      kind.amount,
      'What it charges for a selfie with active liveness. Take the price from your contract.',
      { env: 'COST_PRICE_ACTIVE' },
    ).default(0.1),
    priceDocument: setting(
      kind.amount,
      'What it charges for an enrolment, with document and selfie. Take the price from your ' +
        'contract.',
      { env: 'COST_PRICE_DOCUMENT' },
    ).default(0.3),
    freePerMonth: setting(
      kind.countOrNone,
      'How many checks in a calendar month are free; 0 where none is, as under a white label.',
      { env: 'COST_FREE_PER_MONTH' },
    ).default(500),
    freeOutcomes: setting(
      listOf(oneOf('approved', 'declined', 'in_review', 'not_finished')),
      'What a check may come to without being charged. A selfie that is abandoned is ' +
        '`not_finished`.',
      { env: 'COST_FREE_OUTCOMES' },
    ).default(['declined', 'not_finished']),
    softPerMonth: cap(
      'When the bill of a month reaches so many dollars, an operator is told.',
      'COST_SOFT_PER_MONTH',
      200,
    ),
    hardPerMonth: cap(
      'No selfie begins that could make the bill of a month more than so many dollars; people ' +
        'are shown the other ways in.',
      'COST_HARD_PER_MONTH',
      300,
    ),
    softPerDay: cap('As above, for a day (UTC) and without free ones.', 'COST_SOFT_PER_DAY', 20),
    hardPerDay: cap('As above, for a day (UTC) and without free ones.', 'COST_HARD_PER_DAY', 30),
    clientSoftPerMonth: cap(
      'As above, for each relying party that has no cap of its own, without free ones.',
      'COST_CLIENT_SOFT_PER_MONTH',
      50,
    ),
    clientHardPerMonth: cap(
      'As above, for each relying party that has no cap of its own, without free ones.',
      'COST_CLIENT_HARD_PER_MONTH',
      80,
    ),
    alarmAddress: setting(
      kind.mailAddress,
      'Who is written to when a cap is reached or will be, and when Didit fails.',
      { env: 'COST_ALARM_ADDRESS', example: 'operators@example.com' },
    ).optional(),
  })
  .describe('What selfies cost, and how much may be spent on them.');
