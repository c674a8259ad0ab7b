/**
 * What a mail says: what happened, when, where, and what to do if it was somebody else. The same words as plain text
 * and as a page without anything that would have to be fetched; the only secret in it is the code that it brings.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Eta } from 'eta';
import type { Addressee, FactorName, Message, SeenIn } from '../domain/message.ts';
import type { Text, Translate } from './text.ts';

export interface MailWords {
  locale: string;
  subject: string;
  text: string;
  html: string;
}

export type WriteMail = (to: Addressee, message: Message) => MailWords;

export interface MailWordsOptions {
  viewsDirectory: string;
  text: Text;
  issuer: string;
  operator: { name: string; supportAddress?: string | undefined };
  sandbox: boolean;
}

/** The texts are `mail.NAME.subject`, `.what` and `.now`, and `.link` where the message brings one. */
interface Contents {
  name: string;
  values?: Readonly<Record<string, string | number>>;
  code?: string;
  facts?: readonly Fact[];
  link?: string | undefined;
  /** Where the person can say that it was not them. */
  toAccount?: boolean;
}

interface Fact {
  label: string;
  value: string;
}

/** What the texts are filled with, in the language of the mail. */
interface Speech {
  t: Translate;
  time: (atMs: number) => string;
  list: (items: readonly string[]) => string;
}

const longestName = 80;

export function createMailWords(options: MailWordsOptions): WriteMail {
  const { text, issuer, sandbox } = options;
  const operator = oneLine(options.operator.name);
  const template = readFileSync(join(options.viewsDirectory, 'mail/mail.eta'), 'utf8');
  const eta = new Eta({ autoEscape: true, cache: true });
  eta.loadTemplate('@mail', template);

  return function writeMail(to, message) {
    const locale = text.negotiate(to.locale?.split(' ') ?? []);
    const t = text.translator(locale);
    const { name, values, code, facts = [], ...rest } = contentsOf(message, speechIn(locale, t));
    const say = (part: string): string => t(`mail.${name}.${part}`, { operator, ...values });
    const link = rest.toAccount
      ? { href: `${issuer}/account`, label: t('mail.link.account') }
      : rest.link && { href: rest.link, label: say('link') };
    const address = options.operator.supportAddress;
    const footer = [
      t('mail.footer.sender', { operator, host: new URL(issuer).host }),
      ...(address === undefined ? [] : [t('mail.footer.help', { address })]),
      ...(sandbox ? [t('sandbox.banner')] : []),
    ];
    const words = {
      ...{ locale, subject: say('subject'), what: say('what'), now: say('now') },
      ...{ code, facts, link, footer },
    };
    return {
      locale,
      subject: words.subject,
      text: plainText(words),
      html: eta.render('@mail', words),
    };
  };
}

function plainText(words: {
  what: string;
  code: string | undefined;
  facts: readonly Fact[];
  now: string;
  link: { href: string; label: string } | '' | undefined;
  footer: readonly string[];
}): string {
  const { what, code, facts, now, link, footer } = words;
  return [
    what,
    ...(code === undefined ? [] : [code]),
    ...(facts.length > 0 ? [facts.map(({ label, value }) => `${label}: ${value}`).join('\n')] : []),
    now,
    ...(link ? [`${link.label}:\n${link.href}`] : []),
    ['-- ', ...footer].join('\n'),
    '',
  ].join('\n\n');
}

function contentsOf(message: Message, { t, time, list }: Speech): Contents {
  const when = (atMs: number): Fact => ({ label: t('mail.fact.time'), value: time(atMs) });
  const where = ({ browser, system }: SeenIn): Fact => ({
    label: t('mail.fact.browser'),
    value: t('capture.browser_on_system', {
      browser: foreignName(browser ?? t('continue.some_browser')),
      system: foreignName(system ?? t('continue.some_system')),
    }),
  });
  const factor = (name: FactorName): string => t(`factor.${name}`);
  const factorFact = (value: string): Fact => ({ label: t('mail.fact.factor'), value });

  switch (message.kind) {
    case 'code': {
      const { purpose, minutes, code } = message;
      return { name: `code_${purpose}`, values: { minutes }, code };
    }
    case 'invitation':
      return {
        ...{ name: 'invitation', link: message.link },
        values: { until: time(message.untilMs) },
      };
    case 'other_way': {
      const client = foreignName(message.client);
      const factors = factorFact(list(message.factors.map(factor)));
      return {
        ...{ name: 'other_way', values: { client }, link: message.link },
        facts: [when(message.atMs), where(message), factors],
      };
    }
    case 'new_device':
      return {
        name: message.keepsKey ? 'new_device' : 'new_browser',
        values: { client: foreignName(message.client) },
        facts: [when(message.atMs), where(message)],
        link: message.link,
      };
    case 'borrowed_selfie':
      return {
        name: message.ended ? 'borrowed_selfie_ended' : 'borrowed_selfie_stopped',
        values: { client: foreignName(message.client) },
        facts: [when(message.atMs), where(message)],
        toAccount: message.ended,
      };
    case 'factor_added':
    case 'factor_removed': {
      const { kind, name, atMs } = message;
      const plain = factor(message.factor);
      const named = name && t('mail.fact.named', { factor: plain, name: foreignName(name) });
      return { name: kind, facts: [when(atMs), factorFact(named ?? plain)], toAccount: true };
    }
    case 'address_changed':
      return {
        ...{ name: message.kind, values: { to: foreignName(masked(message.to)) }, toAccount: true },
        facts: [when(message.atMs)],
      };
    case 'recovery_began':
      return {
        ...{ name: message.kind, values: { ready: time(message.readyAtMs) }, link: message.link },
        facts: [when(message.atMs), ...('byOperators' in message ? [] : [where(message)])],
      };
    case 'erasure_planned':
      return {
        ...{ name: message.kind, link: message.link },
        values: { ready: time(message.readyAtMs), what: message.what },
      };
    case 'erased':
      return { name: message.kind, facts: [when(message.atMs)] };
    case 'budget_soft':
    case 'budget_hard':
    case 'budget_forecast':
      return aboutMoney(message, t('mail.budget.everybody'));
    case 'face_drifting':
      return { name: message.kind, toAccount: true };
    case 'review_approved':
    case 'sign_in_withdrawn':
      return {
        ...{ name: message.kind, values: { client: foreignName(message.client) } },
        ...{ facts: [when(message.atMs)], toAccount: true },
      };
    case 'enrolment_declined':
    case 'face_enrolled':
    case 'face_replaced':
    case 'face_erased':
    case 'recovery_done':
    case 'recovery_cancelled':
    case 'erasure_cancelled':
      return { name: message.kind, facts: [when(message.atMs)], toAccount: true };
  }
}

function aboutMoney(
  { kind, client, span, dollars, cap }: Extract<Message, { cap: number }>,
  everybody: string,
): Contents {
  const whose = client === undefined ? everybody : foreignName(client);
  const sums = { dollars: dollars.toFixed(2), cap: cap.toFixed(2) };
  return { name: kind, values: { ...sums, span, whose } };
}

function speechIn(locale: string, t: Translate): Speech {
  // UTC, since nobody knows where the mail is read.
  const shown = new Intl.DateTimeFormat(locale, {
    ...{ dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23', timeZone: 'UTC' },
  });
  const listed = new Intl.ListFormat(locale);
  return {
    t,
    time: (atMs) => `${shown.format(atMs)} UTC`,
    list: (items) => listed.format(items),
  };
}

/** No header and no paragraph begins inside a name. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/**
 * An app chose its name, and a person that of a key. Mail programs make a link of whatever looks like an address, and
 * the only links here are our own: what would make one is followed by a space of no width.
 */
function foreignName(name: string): string {
  const line = oneLine(name);
  const short = line.length > longestName ? `${line.slice(0, longestName)}…` : line;
  return short.replace(/[.:/@](?=\S)/g, '$&\u200b');
}

/** Enough for whoever chose it; the old mailbox may be read by somebody else by now. */
function masked(address: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, 1)}…${address.slice(at)}`;
}
