/** `didit-oidc accounts invite|import-shared|approve-enrolment`: let people in, by what operators know of them. */
import type { Command } from 'commander';
import {
  type OperatorOptions,
  findPerson,
  operatorCommand,
  operatorName,
  peopleCommand,
  print,
  recordBy,
  withFormerName,
} from './people.ts';
import { requireWorkflow, withPeopleSide } from './people-side.ts';
import { collect } from './typed.ts';

interface InviteOptions extends OperatorOptions {
  name?: string;
  group: string[];
}

export function addEnrolCommands(accounts: Command): void {
  operatorCommand(
    accounts,
    'invite <address>',
    'invite somebody to enrol, by a link for seven days',
  )
    .option('--name <name>', 'what they are called')
    .option('--group <group>', 'a group that they are in; may be given several times', collect, [])
    .action(inviteOne);
  operatorCommand(
    accounts,
    'import-shared <identifier> <share-token>',
    'enrol somebody by a check that a partner shared (Didit’s Reusable KYC)',
  )
    .requiredOption('--consent <version>', 'of the text that they agreed to, as you recorded it')
    .action(importOne);
  withFormerName(
    peopleCommand(
      accounts,
      'approve-enrolment <identifier>',
      'confirm an enrolment that was approved by hand at Didit a day ago or earlier',
    ),
  )
    .requiredOption('--operator <name>', 'who confirms it: not who approved it at Didit')
    .action(approveOne);
}

async function inviteOne(address: string, options: InviteOptions): Promise<void> {
  const { invite, shownLink } = await import('../../enrol/invitation.ts');
  const { person } = await import('../../enrol/person.ts');
  await withPeopleSide(options, async (side) => {
    const record = recordBy(options.operator, side.record);
    const { registration, mail: server } = side.config;
    if (registration === 'off') {
      throw new Error('nobody can enrol: registration (REGISTRATION) is off');
    }
    requireWorkflow(side.config);
    const { mail } = side;
    if (!mail) throw new Error('nobody can enrol: there is no mail server (SMTP_URL)');
    const given = { email: address, groups: options.group, name: options.name };
    const read = person.safeParse(given);
    if (!read.success) throw new Error(read.error.issues.map(({ message }) => message).join(', '));
    const { name, groups } = read.data;
    const fields = { email: address, groups, ...(name === undefined ? {} : { name }) };
    const invited = await invite(fields, { ...side, mail });
    const { account, untilMs } = invited;
    const link = await shownLink(invited, side);
    record({ event: 'account.invited', atMs: side.clock(), account: account.id });
    const until = new Date(untilMs).toISOString();
    const isMailed = server.smtpUrl !== undefined;
    print(options, { sub: account.id, link, until, mailed: isMailed }, () => [
      `${address} may come until ${until}:`,
      link,
      isMailed
        ? 'the running provider mails one of its own: only by that one the address is shown to be theirs'
        : 'there is no mail server: hand it over yourself',
    ]);
  });
}

async function importOne(
  identifier: string,
  shareToken: string,
  options: OperatorOptions & { consent: string },
): Promise<void> {
  const { importShared } = await import('../../enrol/import-shared.ts');
  await withPeopleSide(options, async (side) => {
    const account = await findPerson(side, identifier);
    const record = recordBy(options.operator, side.record);
    const tools = { ...side, ...(await side.openDidit()), record };
    const consentVersion = options.consent;
    const refused = await importShared(account, { shareToken, consentVersion }, tools);
    if (refused !== undefined) throw new Error(`it was refused, and nothing changed: ${refused}`);
    print(options, { sub: account.id, enrolled: true }, () => [`${account.id} has a face now`]);
  });
}

async function approveOne(identifier: string, options: OperatorOptions): Promise<void> {
  const { approveEnrolment } = await import('../../enrol/approve.ts');
  const { approveReview } = await import('../../enrol/review.ts');
  const operator = operatorName(options.operator);
  await withPeopleSide(options, async (side) => {
    const account = await findPerson(side, identifier);
    const { id } = account;
    const held = await side.held.find(id);
    // With a case in the queue it is closed by this, and what holds for cases holds here.
    const found = held && (await side.reviews.openOf(held.diditSessionId));
    const reason = 'accounts approve-enrolment';
    if (!found)
      await approveEnrolment(account, [operator], { ...side, ...(await side.openDidit()) });
    const reviewed = found && (await approveReview(found, { operator, reason }, side));
    if (reviewed?.state === 'waits') {
      print(options, { sub: id, enrolled: false }, () => [`${id} waits for a second operator`]);
    } else {
      print(options, { sub: id, enrolled: true }, () => [`${id} has a face now`]);
    }
  });
}
