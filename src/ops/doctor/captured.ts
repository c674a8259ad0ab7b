/** A webhook as somebody captured it, and which of its three signatures fit. */
import { createHmac } from 'node:crypto';
import { examineDelivery } from '../../didit/delivery.ts';
import type { LoggedDelivery } from '../../didit/settings.ts';
import { readDelivery } from './delivery.ts';

export interface SignatureFound {
  header: 'X-Signature' | 'X-Signature-V2' | 'X-Signature-Simple';
  state: 'fits' | 'fits no secret' | 'not sent';
  /** Over what it was made. */
  over?: string;
  /** 1 is the newest. */
  secret?: number;
}

const covers = {
  raw: 'the raw body',
  canonical: 'the canonical body',
  prefixed: 'the time and the canonical body',
} as const;

/**
 * JSON with "headers" and "body", an entry of Didit's delivery log, or the request itself: headers, an empty line, and
 * the body to the end (of `curl -v` the lines with ">", too).
 * @throws when it is none of these.
 */
export function readCaptured(text: string): LoggedDelivery {
  if (/^\s*\{/.test(text)) return readDelivery(text);
  // Of `curl -v`, what was sent.
  const lines = text.split('\n').map((line) => line.replace(/^> ?/, ''));
  const empty = lines.findIndex((line) => line === '' || line === '\r');
  if (empty === -1 || empty === lines.length - 1) {
    throw new Error('the file needs headers, an empty line and the body; or JSON');
  }
  const headers = lines.slice(0, empty).flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return colon > 0 && /^[\w-]+$/.test(name) ? [[name, line.slice(colon + 1).trim()]] : [];
  });
  const body = lines.slice(empty + 1).join('\n');
  if (headers.length === 0) throw new Error('the file has no headers before its empty line');
  const lengthOf = Object.fromEntries(headers)['content-length'];
  return {
    headers: repeated(headers),
    body: cut(body, lengthOf),
    responseStatus: undefined,
  };
}

/** Which of the secrets made which signature, whatever the door would say of it. */
export function signaturesOf(
  { headers, body }: LoggedDelivery,
  secrets: readonly string[],
  now: number,
): SignatureFound[] {
  const rawBody = Buffer.from(body);
  const examined = examineDelivery({ rawBody, headers, secrets, now, acceptPrefixed: true });
  const found = (header: 'X-Signature' | 'X-Signature-V2', isOwn: (form: string) => boolean) => {
    const match = examined.matches.find(({ form }) => isOwn(form));
    if (match) {
      const { form, secretIndex } = match;
      return { header, state: 'fits' as const, over: covers[form], secret: secretIndex + 1 };
    }
    const isSent = valueOf(headers, header) !== undefined;
    return { header, state: isSent ? ('fits no secret' as const) : ('not sent' as const) };
  };
  return [
    found('X-Signature', (form) => form === 'raw'),
    found('X-Signature-V2', (form) => form !== 'raw'),
    simple(headers, body, secrets),
  ];
}

/** The door never looks at this one: it leaves the decision uncovered. */
function simple(
  headers: LoggedDelivery['headers'],
  body: string,
  secrets: readonly string[],
): SignatureFound {
  const header = 'X-Signature-Simple';
  const sent = valueOf(headers, header);
  if (sent === undefined) return { header, state: 'not sent' };
  const { session_id: id, status, webhook_type: type } = fieldsOf(body);
  const text = [valueOf(headers, 'X-Timestamp'), id, status, type].map(String).join(':');
  const made = secrets.map((secret) => createHmac('sha256', secret).update(text).digest('hex'));
  const at = made.indexOf(sent.toLowerCase());
  return at === -1
    ? { header, state: 'fits no secret' }
    : {
        header,
        state: 'fits',
        over: 'the time, the session, its status and the kind',
        secret: at + 1,
      };
}

function fieldsOf(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function valueOf(headers: LoggedDelivery['headers'], name: string): string | undefined {
  const [, value] =
    Object.entries(headers).find(([key]) => key.toLowerCase() === name.toLowerCase()) ?? [];
  return typeof value === 'string' ? value : undefined;
}

/** As Node gives them: what comes twice is a list. */
function repeated(headers: readonly [string, string][]): Record<string, string> {
  const names = headers.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at && name.startsWith('x-'));
  if (twice !== undefined) throw new Error(`the header ${twice} is there twice: it is refused`);
  return Object.fromEntries(headers);
}

/** An editor ends a file with a newline that was never sent. */
function cut(body: string, length: string | undefined): string {
  if (length !== undefined && /^\d+$/.test(length)) {
    return Buffer.from(body).subarray(0, Number(length)).toString();
  }
  return body.replace(/(?<=\})\r?\n$/, '');
}
