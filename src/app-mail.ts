/** The composition root's piece that the commands need as well: who writes to people, and by what. */
import { isOnLoopback } from './config/addresses.ts';
import type { Config } from './config/schema.ts';
import type { WrittenMail } from './domain/message.ts';
import { type Mailer, type MailerTools, createMailer } from './web/mail.ts';

/**
 * @param keep gets the mails of a development provider without a mail server.
 * @returns undefined where nobody can be written to.
 */
export function createMailSide(
  { mail, mode, issuer }: Pick<Config, 'mail' | 'mode' | 'issuer'>,
  tools: Pick<MailerTools, 'store' | 'clock' | 'random' | 'record' | 'log' | 'write'>,
  keep: (mail: WrittenMail) => void = () => undefined,
): Mailer | undefined {
  return createMailer({
    ...{ ...mail, ...tools, issuer },
    isLoopback: mail.smtpUrl !== undefined && isOnLoopback(mail.smtpUrl),
    capture: mode === 'development' ? keep : undefined,
  });
}
