/** The operator's mail server, over SMTP (RFC 5321, RFC 8314), as nodemailer speaks it. */
import type { Transporter } from 'nodemailer';
import type { WrittenMail } from '../domain/message.ts';

/** @throws MailNotTaken */
export type Deliver = (mail: WrittenMail) => Promise<void>;

export type MailFailure = 'unreachable' | 'timeout' | 'tls' | 'login' | 'refused';

export class MailNotTaken extends Error {
  readonly reason: MailFailure;
  /** The same mail would be refused again. */
  readonly isFinal: boolean;
  readonly answer: MailServerAnswer;

  constructor(reason: MailFailure, isFinal: boolean, answer: MailServerAnswer) {
    super('the mail server did not take a mail');
    this.name = 'MailNotTaken';
    this.reason = reason;
    this.isFinal = isFinal;
    this.answer = answer;
  }
}

/** To what the server answered how, without its words, which may quote the address. */
export interface MailServerAnswer {
  step: string | undefined;
  status: number | undefined;
  /** Of the network or of TLS. */
  code: string | undefined;
}

export interface MailServerOptions {
  /** `smtps:` is TLS from the first byte; with `smtp:` TLS is begun by STARTTLS, or nothing is sent. */
  url: string;
  from: string;
  /** A server on this machine, which is spoken to as it is. */
  isLoopback: boolean;
}

const tryMs = 5_000;

export function createMailServer({ url, from, isLoopback }: MailServerOptions): Deliver {
  const sender = senderOf(from);
  let transport: Promise<Transporter> | undefined;

  return async function deliver({ id, to, locale, subject, text, html, atMs }) {
    transport ??= openTransport(url, isLoopback);
    const message = {
      ...{ from: sender, subject, text, html },
      // As an object it is one address, whatever it looks like.
      to: { name: '', address: to.address },
      envelope: { from: sender.address, to: [to.address] },
      date: new Date(atMs),
      messageId: `<${id}@${sender.address.slice(sender.address.lastIndexOf('@') + 1)}>`,
      // RFC 3834: no answering machine answers.
      headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': locale },
      ...{ disableFileAccess: true, disableUrlAccess: true, xMailer: false as const },
      signal: AbortSignal.timeout(tryMs),
    };
    try {
      await (await transport).sendMail(message);
    } catch (error) {
      throw notTaken(error);
    }
  };
}

/** Connects, greets and signs in as for a mail, and sends none. @throws MailNotTaken */
export async function tryMailServer({
  url,
  isLoopback,
}: Omit<MailServerOptions, 'from'>): Promise<void> {
  const transport = await openTransport(url, isLoopback);
  try {
    await transport.verify();
  } catch (error) {
    throw notTaken(error);
  } finally {
    transport.close();
  }
}

/**
 * Certificates are held against what Node trusts, NODE_EXTRA_CA_CERTS included. Options that nodemailer would take
 * from the address are not taken: one of them trusts any certificate.
 */
async function openTransport(url: string, isLoopback: boolean): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  return createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    ...(isLoopback ? { ignoreTLS: true } : { requireTLS: true }),
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    ...{ connectionTimeout: tryMs, greetingTimeout: tryMs, socketTimeout: tryMs },
    ...{ dnsTimeout: tryMs, socketCloseTimeout: 0 },
  });
}

function senderOf(from: string): { name: string; address: string } {
  const [, name = '', address = from] = /^([^<]+)<([^>]+)>$/.exec(from) ?? [];
  return { name: name.trim(), address };
}

const reasons: Readonly<Record<string, MailFailure>> = {
  ETIMEDOUT: 'timeout',
  EABORT: 'timeout',
  ETLS: 'tls',
  EREQUIRETLS: 'tls',
  EAUTH: 'login',
  ENOAUTH: 'login',
  EENVELOPE: 'refused',
  EMESSAGE: 'refused',
};

/** What Node's TLS calls a certificate that it does not trust, or a server that speaks none. */
const tlsCode = /CERT|SIGNATURE|SSL|TLS|^EPROTO$/;

function notTaken(error: unknown): MailNotTaken {
  const { code = '', originalCode, responseCode: status, command: step } = error as SmtpError;
  const isTls = tlsCode.test(originalCode ?? '');
  const reason = isTls ? 'tls' : (reasons[code] ?? 'unreachable');
  // A sender that is refused is the operator's mistake, and may be put right within the day.
  const isFinal = reason === 'refused' && step !== 'MAIL FROM' && !(status && status < 500);
  return new MailNotTaken(reason, isFinal, { step, status, code: originalCode });
}

interface SmtpError {
  code?: string;
  originalCode?: string;
  responseCode?: number;
  command?: string;
}
