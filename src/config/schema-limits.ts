/** The group of the schema that says how much may be asked for; the table itself is domain/limits.ts. */
import { z } from 'zod';
import * as kind from './kinds.ts';

const { setting } = kind;

export const limits = z
  .strictObject({
    perHour: setting(kind.count, 'How many selfies may begin in an hour, of all people.', {
      env: 'LIMITS_PER_HOUR',
    }).default(1000),
    perDay: setting(kind.count, 'How many selfies may begin in a day (UTC).', {
      env: 'LIMITS_PER_DAY',
    }).default(5000),
    perMonth: setting(kind.count, 'How many selfies may begin in a calendar month (UTC).', {
      env: 'LIMITS_PER_MONTH',
    }).default(50_000),
    reservedForKnownDevices: setting(
      kind.percent,
      'The part of all that, in percent, which is kept for browsers that have signed in ' +
        'before, so that strangers cannot use it up.',
      { env: 'LIMITS_RESERVED_FOR_KNOWN_DEVICES' },
    ).default(20),
    perClientPerHour: setting(
      kind.count,
      'How many selfies one relying party may begin in an hour.',
      {
        env: 'LIMITS_PER_CLIENT_PER_HOUR',
      },
    ).default(2000),
    authorizationsPerMinute: setting(
      kind.count,
      'How many authorization requests one network (an IPv4 /24 or an IPv6 /64) may begin in a ' +
        'minute at one process, with or without a login.',
      { env: 'LIMITS_AUTHORIZATIONS_PER_MINUTE' },
    ).default(300),
    perAddressPerHour: setting(
      kind.count,
      'How many selfies new browsers may begin in an hour from one network (an IPv4 /24 or ' +
        'an IPv6 /64). Seven times as many in a day; known browsers may twenty times as many.',
      { env: 'LIMITS_PER_ADDRESS_PER_HOUR' },
    ).default(30),
    perAccountPerHour: setting(
      kind.count,
      'How many selfies new browsers may begin for one account in an hour. Twice as many in ' +
        'a day; known browsers have a count of their own, twice as high.',
      { env: 'LIMITS_PER_ACCOUNT_PER_HOUR' },
    ).default(10),
    pricePerSelfie: setting(
      kind.amount,
      'What Didit charges for one selfie, in the currency of `spendPerMonth`.',
      { env: 'LIMITS_PRICE_PER_SELFIE', example: 0.1 },
    ).optional(),
    spendPerMonth: setting(
      kind.amount,
      'How much may be spent on selfies in a month. With a price it lowers `perMonth`.',
      { env: 'LIMITS_SPEND_PER_MONTH', example: 500 },
    ).optional(),
  })
  .describe('How many selfies may be begun, see the limits in docs/security.md.');
