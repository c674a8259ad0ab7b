/** A mail server on the loopback that keeps what it is given, and refuses what a test says. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  from: string;
  to: string[];
  secure: boolean;
  /** By name in lower case, unfolded; a header that is there twice has both. */
  headers: Record<string, string[]>;
  /** As they are read: `text/plain` and `text/html`. */
  parts: Record<string, string>;
  raw: string;
}

export interface MailServer {
  port: number;
  mails: ReceivedMail[];
  /** Commands that came, such as `MAIL FROM`. */
  steps: string[];
  close(): Promise<void>;
}

export interface MailServerOptions extends SMTPServerOptions {
  port?: number;
  /** The status with which a step is refused. */
  refuse?: (step: 'MAIL FROM' | 'RCPT TO' | 'DATA') => number | undefined;
}

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { port = 0, refuse = () => undefined, ...rest } = options;
  const mails: ReceivedMail[] = [];
  const steps: string[] = [];
  const refusal = (step: 'MAIL FROM' | 'RCPT TO' | 'DATA'): Error | null => {
    steps.push(step);
    const responseCode = refuse(step);
    return responseCode === undefined ? null : Object.assign(new Error('no'), { responseCode });
  };
  const server = new SMTPServer({
    authOptional: true,
    ...(rest.key ? {} : { disabledCommands: ['STARTTLS'] }),
    ...rest,
    onMailFrom: (_address, _session, done) => done(refusal('MAIL FROM')),
    onRcptTo: (_address, _session, done) => done(refusal('RCPT TO')),
    onData(stream, { envelope, secure }, done) {
      void text(stream).then((raw) => {
        const error = refusal('DATA');
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        const to = envelope.rcptTo.map(({ address }) => address);
        if (!error) mails.push({ from, to, secure, raw, ...parse(raw) });
        done(error);
      });
    },
  });
  // A client that does not trust the certificate says so on its own side.
  server.on('error', () => undefined);
  const listening = once(server.server, 'listening');
  server.listen(port, '127.0.0.1');
  await listening;
  return {
    port: (server.server.address() as AddressInfo).port,
    ...{ mails, steps },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  };
}

function parse(raw: string): Pick<ReceivedMail, 'headers' | 'parts'> {
  const { headers, body } = split(raw);
  const boundary = /boundary="([^"]+)"/.exec(headers['content-type']?.[0] ?? '')?.[1] ?? '';
  const parts = body
    .split(new RegExp(`^--${boundary.replace(/[^\w]/g, '\\$&')}(?:--)?\r\n`, 'm'))
    .map(split)
    .filter((part) => part.headers['content-type'])
    .map((part) => {
      const type = part.headers['content-type']?.[0]?.split(';')[0] ?? '';
      return [type, decoded(part.headers['content-transfer-encoding']?.[0] ?? '', part.body)];
    });
  return { headers, parts: Object.fromEntries(parts) as Record<string, string> };
}

function split(text: string): { headers: Record<string, string[]>; body: string } {
  const end = text.indexOf('\r\n\r\n');
  const headers: Record<string, string[]> = {};
  for (const line of text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
    (headers[name.toLowerCase()] ??= []).push(value);
  }
  return { headers, body: text.slice(end + 4) };
}

function decoded(encoding: string, body: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding !== 'quoted-printable') return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
