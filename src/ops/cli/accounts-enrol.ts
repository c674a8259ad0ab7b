/** `didit-oidc accounts invite|import-shared|approve-enrolment`: let people in, by what operators know of them. */
import type { Command } from 'commander';
import { type PeopleOptions, findPerson, operatorName, peopleCommand, print } from './people.ts';
import { requireWorkflow, withPeopleSide } from './people-side.ts';

interface InviteOptions extends PeopleOptions {
  name?: string;
  group: string[];
}

export function addEnrolCommands(accounts: Command): void {
  peopleCommand(accounts, 'invite <address>', 'invite somebody to enrol, by a link for seven days')
    .option('--name <name>', 'what they are called')
    .option('--group <group>', 'a group that they are in; may be given several times', collect, [])
    .action(inviteOne);
  peopleCommand(
    accounts,
    'import-shared <identifier> <share-token>',
    'enrol somebody by a check that a partner shared (Didit’s Reusable KYC)',
  )
    .requiredOption('--consent <version>', 'of the text that they agreed to, as you recorded it')
    .action(importOne);
  peopleCommand(
    accounts,
    'approve-enrolment <identifier>',
    'confirm an enrolment that was approved by hand at Didit a day ago or earlier',
  )
    .requiredOption('--by <operator>', 'who confirms it: not who approved it at Didit')
    .action(approveOne);
}

const collect = (one: string, before: string[]): string[] => [...before, one];

async function inviteOne(address: string, options: InviteOptions): Promise<void> {
  const { invite } = await import('../../enrol/invitation.ts');
  const { person } = await import('../../enrol/person.ts');
  await withPeopleSide(options, async (side) => {
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
    if (!invited) throw new Error(`${address} is somebody's who is here`);
    const { account, link, untilMs } = invited;
    side.record({ event: 'account.invited', atMs: side.clock(), account: account.id });
    const until = new Date(untilMs).toISOString();
    const isMailed = server.smtpUrl !== undefined;
    print(options, { sub: account.id, link, until, mailed: isMailed }, () => [
      `${address} may come until ${until}:`,
      link,
      isMailed ? 'the running provider mails it' : 'there is no mail server: hand it over yourself',
    ]);
  });
}

async function importOne(
  identifier: string,
  shareToken: string,
  options: PeopleOptions & { consent: string },
): Promise<void> {
  const { importShared } = await import('../../enrol/import-shared.ts');
  await withPeopleSide(options, async (side) => {
    const account = await findPerson(side, identifier);
    const tools = { ...side, ...(await side.openDidit()) };
    const consentVersion = options.consent;
    const refused = await importShared(account, { shareToken, consentVersion }, tools);
    if (refused !== undefined) throw new Error(`it was refused, and nothing changed: ${refused}`);
    print(options, { sub: account.id, enrolled: true }, () => [`${account.id} has a face now`]);
  });
}

async function approveOne(
  identifier: string,
  options: PeopleOptions & { by: string },
): Promise<void> {
  const { approveEnrolment } = await import('../../enrol/approve.ts');
  const { approveReview } = await import('../../enrol/review.ts');
  const operator = operatorName(options.by);
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
