/** Entries of the audit log as syslog messages (RFC 5424), by UDP or TCP (RFC 6587, with octet counts). */
import { createSocket } from 'node:dgram';
import { type Socket, connect } from 'node:net';
import { pid } from 'node:process';
import type { Sender, StreamedEntry } from './audit-stream.ts';

/** Facility 13, log audit; severity 5, notice. */
const priority = 13 * 8 + 5;
const connectMs = 5_000;

export function createSyslogSender({ protocol, hostname, port }: URL, ownHost: string): Sender {
  // Of an IPv6 address the brackets belong to the URL.
  const to = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
  const format = (entry: StreamedEntry): string => formatMessage(entry, ownHost);
  return protocol === 'syslog+udp:' ? overUdp(to, format) : overTcp(to, format);
}

export function formatMessage(entry: StreamedEntry, ownHost: string): string {
  const { time, event } = entry;
  // ASCII alone, so that it needs no mark of its encoding.
  const text = JSON.stringify(entry).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `<${priority}>1 ${time} ${ownHost} didit-oidc ${pid} ${event} - ${text}`;
}

interface Address {
  host: string;
  port: number;
}

function overUdp({ host, port }: Address, format: (entry: StreamedEntry) => string): Sender {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').unref();
  // What nobody takes is reported here, too late to say which it was.
  socket.on('error', () => undefined);
  const sendOne = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      socket.send(text, port, host, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  return {
    async send(entries) {
      for (const entry of entries) await sendOne(format(entry));
    },
    close: () => socket.close(),
  };
}

function overTcp(address: Address, format: (entry: StreamedEntry) => string): Sender {
  let open: Socket | undefined;

  function connected(): Promise<Socket> {
    if (open && !open.destroyed && open.writable) return Promise.resolve(open);
    return new Promise((resolve, reject) => {
      const socket = connect({ ...address, timeout: connectMs }).unref();
      socket.once('connect', () => {
        socket.setTimeout(0);
        open = socket;
        resolve(socket);
      });
      socket.once('timeout', () => socket.destroy(new Error('timed out')));
      socket.on('error', reject);
      // A collector says nothing; what it says is read, so that its end is noticed.
      socket.resume();
    });
  }

  return {
    async send(entries) {
      const socket = await connected();
      const text = entries
        .map(format)
        .map((message) => `${message.length} ${message}`)
        .join('');
      await new Promise<void>((resolve, reject) => {
        const ended = (): void => reject(new Error('the connection ended'));
        socket.once('close', ended);
        socket.write(text, (error) => {
          socket.removeListener('close', ended);
          if (error) reject(error);
          else resolve();
        });
      });
    },
    close: () => open?.destroySoon(),
  };
}
