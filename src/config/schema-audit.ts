/** The group of the schema about the audit log. */
import { z } from 'zod';
import { isOnLoopback } from './addresses.ts';
import * as kind from './kinds.ts';

const { setting } = kind;

const streamUrl: kind.Kind<z.ZodString> = {
  schema: z.string().refine(isStreamUrl),
  expects:
    'syslog+udp://HOST:PORT, syslog+tcp://HOST:PORT or an https address (http on this machine alone)',
};

export const audit = z
  .strictObject({
    keptForSeconds: setting(
      kind.durationUpTo(3650),
      'How long what happened is kept. Where it is shortened, what is there keeps its time.',
      { env: 'AUDIT_KEPT_FOR' },
    ).prefault('400d'),
    stream: setting(
      streamUrl,
      'Where each entry of the audit log is sent as well: a syslog server (RFC 5424), or an ' +
        'address that takes lines of JSON by POST. Nobody waits for it.',
      { env: 'AUDIT_STREAM', example: 'https://collector.example.com/didit-oidc' },
    ).optional(),
    streamToken: setting(kind.secret, 'The bearer token that goes along to an https address.', {
      env: 'AUDIT_STREAM_TOKEN',
      secret: true,
      example: 'a-long-random-bearer-token',
    }).optional(),
  })
  .describe(
    'The record of what happened, chained so that nothing can be taken out of it unnoticed.',
  );

function isStreamUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, port, username, password, pathname } = new URL(value);
  if (hostname === '' || username !== '' || password !== '') return false;
  if (/^syslog\+(udp|tcp):$/.test(protocol)) return port !== '' && /^\/?$/.test(pathname);
  return protocol === 'https:' || (protocol === 'http:' && isOnLoopback(value));
}
