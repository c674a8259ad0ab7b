/** The groups of the schema about people: how they come in, how they are written to, how long things are kept. */
import { z } from 'zod';
import * as kind from './kinds.ts';

const { setting, oneOf } = kind;

export const mail = z
  .strictObject({
    smtpUrl: setting(
      kind.smtpUrl,
      'The mail server, with user and password where it wants them. Without one nobody is ' +
        'written to, and what needs a mail is not offered.',
      { env: 'SMTP_URL', secret: true, example: 'smtps://user:password@mail.example.com' },
    ).optional(),
    from: setting(kind.sender, 'The sender of the mails.', {
      env: 'MAIL_FROM',
      example: 'Example sign-in <login@example.com>',
    }).optional(),
  })
  .describe('How people are written to.');

export const registration = setting(
  oneOf('off', 'invite', 'open'),
  'Who may enrol: nobody (people come from a file), who was invited, or everybody.',
  { env: 'REGISTRATION' },
).default('off');

export const people = z
  .strictObject({
    recoveryHoldSeconds: setting(
      kind.duration,
      'How long a recovery waits, so that the person can stop one that is not theirs. ' +
        'From a day to three.',
      { env: 'PEOPLE_RECOVERY_HOLD' },
    ).prefault('24h'),
    erasureDelaySeconds: setting(
      kind.duration,
      'How long after asking for it an account is erased; until then it can be kept.',
      { env: 'PEOPLE_ERASURE_DELAY' },
    ).prefault('3d'),
    changeCooldownSeconds: setting(
      kind.duration,
      'How long after a new face or a recovery other ways to sign in cannot be changed.',
      { env: 'PEOPLE_CHANGE_COOLDOWN' },
    ).prefault('24h'),
    diditSessionsKeptSeconds: setting(
      kind.duration,
      'How long the record of a selfie stays at Didit before it is deleted there.',
      { env: 'PEOPLE_DIDIT_SESSIONS_KEPT' },
    ).prefault('30d'),
    inactiveSeconds: setting(
      // Whether they did stands in their history, which is kept a little longer.
      kind.durationUpTo(390),
      'The face of somebody who did not sign in for so long is erased.',
      { env: 'PEOPLE_INACTIVE' },
    ).prefault('365d'),
  })
  .describe('What people can do about themselves, and how long things are kept.');

export const reviews = z
  .strictObject({
    twoPeople: setting(
      kind.flag,
      'Whether two operators of different names have to approve a check that waits in the queue.',
      { env: 'REVIEWS_TWO_PEOPLE' },
    ).default(false),
  })
  .describe('Checks that people have to look at.');
