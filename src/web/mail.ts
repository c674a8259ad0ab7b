/**
 * How people are written to. A code is handed to the mail server while its page waits, for five seconds at most;
 * everything else goes through the queue. Mails lead to our own pages and nowhere else.
 */
import type { Clock, Random } from '../domain/environment.ts';
import type { Record } from '../domain/event.ts';
import type { SendMail, WrittenMail } from '../domain/message.ts';
import type { Store } from '../store/store.ts';
import { type QueuedMail, createMailQueue } from './mail-queue.ts';
import { type Deliver, MailNotTaken, createMailServer } from './mail-server.ts';
import type { WriteMail } from './mail-words.ts';
import type { Log } from './telemetry.ts';

export interface Mailer {
  send: SendMail;
  /** Begins to hand over what is in the queue. */
  start: () => void;
  /** Waits for what is being handed over. */
  stop: () => Promise<void>;
}

export interface MailerTools {
  issuer: string;
  smtpUrl?: string | undefined;
  from?: string | undefined;
  /** Whether the mail server is on this machine. */
  isLoopback: boolean;
  /** Gets the mails where there is no mail server. */
  capture: ((mail: WrittenMail) => void) | undefined;
  write: WriteMail;
  store: Store;
  clock: Clock;
  random: Random;
  record: Record;
  log: Pick<Log, 'warn' | 'error'>;
}

/** @returns undefined where nobody can be written to: what needs a mail is not offered then. */
export function createMailer(tools: MailerTools): Mailer | undefined {
  const { smtpUrl: url, from, isLoopback, capture } = tools;
  if (url !== undefined && from !== undefined) {
    return createMailerWith(createMailServer({ url, from, isLoopback }), tools);
  }
  if (!capture) return undefined;
  const keep = (mail: WrittenMail): Promise<void> => {
    capture(mail);
    return Promise.resolve();
  };
  return createMailerWith(keep, tools);
}

function createMailerWith(deliver: Deliver, tools: MailerTools): Mailer {
  const { issuer, write, store, clock, random, record, log } = tools;
  const queue = createMailQueue({
    ...{ store, clock, random },
    // Of an error's words some could be a person's.
    failed: (error) => log.error('mail failed', { error: (error as Error).name }),
    handOver: (mail) =>
      handOver(mail).then(
        () => true,
        (error: unknown) => {
          if (!(error instanceof MailNotTaken)) throw error;
          return error.isFinal;
        },
      ),
    givenUp: (mail) => recordMail('mail.failed', mail, 'expired'),
  });

  function recordMail(
    event: 'mail.sent' | 'mail.failed',
    { to, message }: Pick<QueuedMail, 'to' | 'message'>,
    reason?: string,
  ): void {
    const about = { ...(to.account && { account: to.account }), ...(reason && { reason }) };
    record({ event, atMs: clock(), kind: message.kind, ...about });
  }

  async function handOver(mail: Pick<QueuedMail, 'id' | 'to' | 'message'>): Promise<void> {
    const { id, to, message } = mail;
    const words = write(to, message);
    try {
      await deliver({ id, to, message, ...words, atMs: clock() });
    } catch (error) {
      if (error instanceof MailNotTaken) {
        recordMail('mail.failed', mail, error.reason);
        log.warn('mail server', { kind: message.kind, ...error.answer });
      }
      throw error;
    }
    recordMail('mail.sent', mail);
  }

  return {
    async send(to, message) {
      if (!isAddress(to.address)) throw new Error('this is no address to write to');
      if ('link' in message && !isBelow(issuer, message.link)) {
        throw new Error('a link in a mail that does not lead to us');
      }
      if (message.kind === 'code') await handOver({ id: random(16), to, message });
      else await queue.add(to, message);
    },
    start: queue.start,
    stop: queue.stop,
  };
}

/** One address, without anything that could make it two, or begin a header (RFC 5321, 4.1.2 has more). */
function isAddress(text: string): boolean {
  return (
    text.length <= 254 && /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u.test(text)
  );
}

function isBelow(issuer: string, link: string): boolean {
  return link.startsWith(`${issuer}/`) && URL.canParse(link) && new URL(link).origin === issuer;
}
