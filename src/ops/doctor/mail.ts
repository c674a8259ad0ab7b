/** Whether the mail server lets us in. No mail is sent: whether it takes the sender shows with the first one. */
import { isOnLoopback } from '../../config/addresses.ts';
import type { Config } from '../../config/schema.ts';
import { type MailFailure, MailNotTaken, tryMailServer } from '../../web/mail-server.ts';
import { type Finding, ok, problem, reasonOf, warning } from './finding.ts';

const name = 'mail';

export async function checkMail({
  mail: { smtpUrl: url },
  registration,
}: Pick<Config, 'mail' | 'registration'>): Promise<Finding> {
  if (url === undefined) return without(registration);
  const server = new URL(url).host;
  try {
    await tryMailServer({ url, isLoopback: isOnLoopback(url) });
    return ok(name, `${server} lets us in`);
  } catch (error) {
    if (!(error instanceof MailNotTaken)) {
      return problem(name, `${server} cannot be tried: ${reasonOf(error)}`, advice.unreachable);
    }
    const { code, status } = error.answer;
    const detail = [code, status].filter((one) => one !== undefined).join(' ');
    const found = `${server}: ${said[error.reason]}${detail === '' ? '' : ` (${detail})`}`;
    return problem(name, found, advice[error.reason]);
  }
}

function without(registration: Config['registration']): Finding {
  return registration === 'off'
    ? ok(name, 'no server: no codes by mail, and nobody is told of anything')
    : warning(
        name,
        'no server: who enrols cannot be written to, and there are no codes by mail',
        'Set SMTP_URL and MAIL_FROM.',
      );
}

const said: Readonly<Record<MailFailure, string>> = {
  unreachable: 'no connection',
  timeout: 'no answer within five seconds',
  tls: 'no TLS, or a certificate that is not trusted',
  login: 'user or password were refused',
  refused: 'it does not want to talk to us',
};

const advice: Readonly<Record<MailFailure, string>> = {
  unreachable: 'Look at SMTP_URL, the firewall and the mail server.',
  timeout: 'Look at SMTP_URL and the firewall. Many hosts block port 25: use 587 or 465.',
  tls: 'See docs/operations.md, "Mail": NODE_EXTRA_CA_CERTS trusts an authority of your own.',
  login: 'Look at user and password in SMTP_URL; both are percent-encoded.',
  refused: 'Ask whoever runs the mail server whether this machine may send.',
};
