/** What mails say, in every language, and what they never hold. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/domain/message.ts';
import { createMailWords } from '../../src/web/mail-words.ts';
import { type Text, loadText } from '../../src/web/text.ts';
import { messagesOf } from '../support/messages.ts';

const issuer = 'https://login.example.com';
const viewsDirectory = join(import.meta.dirname, '../../views');
const text = loadText(join(viewsDirectory, 'locales'));
const locales = readdirSync(join(viewsDirectory, 'locales')).map((file) => file.split('.')[0]!);
const about = { viewsDirectory, text, issuer };
const write = createMailWords({
  ...{ ...about, sandbox: true },
  operator: { name: 'Acme', supportAddress: 'help@acme.example' },
});
const writeBare = createMailWords({ ...about, sandbox: false, operator: { name: 'Acme' } });
const messages = messagesOf(issuer);
const to = (locale?: string) => ({ address: 'ana@example.com', locale });
const addressesIn = (words: string): string[] => words.match(/[a-z]+:\/\/[^\s"<]+/g) ?? [];
/** The words of a page, as a browser shows them. */
const shown = (html: string): string =>
  html
    .replace(/<style>[^]*<\/style>|<title>[^]*<\/title>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
const wordsOf = (said: string): Set<string> =>
  new Set(said.split(/\s+/).map((word) => word.replace(/[:-]+$/, '')));

describe.each(locales)('in the language %s', (locale) => {
  test.each(messages)('[AX-08] $kind is whole', (message) => {
    for (const writeMail of [write, writeBare]) {
      const mail = writeMail(to(locale), message);
      expect(mail.locale).toBe(locale);
      for (const part of [mail.subject, mail.text, shown(mail.html)]) {
        expect(part).not.toMatch(/undefined|null|NaN|\[object|\{\w*\}/);
        expect(part.trim()).not.toBe('');
      }
      expect(mail.subject).toMatch(/^[^\p{Cc}]{5,70}$/u);
      expect(mail.html).toContain(`<html lang="${locale}">`);
      if ('atMs' in message) expect(mail.text).toMatch(/2026.*14:02.* UTC$/m);
    }
  });

  test.each(messages)('$kind says the same as text and as a page', (message) => {
    const { subject, text, html } = write(to(locale), message);
    const [inText, inPage] = [wordsOf(`${subject} ${text}`), wordsOf(shown(html))];
    expect([...inPage.difference(inText)]).toEqual([]);
    // A link stands behind its words in a page.
    const links = new Set(addressesIn(text));
    expect([...inText.difference(inPage).difference(links)]).toEqual([]);
  });
});

test.each(messages)('$kind fetches nothing, runs nothing and leads to us alone', (message) => {
  const { text, html } = write(to(), message);
  expect(html).not.toMatch(
    /\ssrc=|\ssrcset=|url\(|@import|<(?:img|link|script|iframe|form|base)\b/i,
  );
  expect(html).not.toMatch(/\son[a-z]+=/i);
  for (const address of [...addressesIn(text), ...addressesIn(html)]) {
    expect(new URL(address).origin).toBe(issuer);
  }
});

test('the code stands in the mail that brings it, and not in its subject', () => {
  const codes = messages.filter((one) => one.kind === 'code');
  expect(codes).toHaveLength(3);
  for (const message of codes) {
    const { subject, text, html } = write(to(), message);
    expect(subject).not.toContain(message.code);
    expect(text.match(/^482913$/gm)).toHaveLength(1);
    expect(html).toContain('>482913<');
  }
});

test('a message that has a link has it once, and the others lead to the account at most', () => {
  for (const message of messages) {
    const links = addressesIn(write(to(), message).text);
    const own = 'link' in message ? [message.link] : [];
    if (own.length > 0) expect(links, message.kind).toEqual(own);
    else expect([[], [`${issuer}/account`]], message.kind).toContainEqual(links);
  }
});

test('a mail tells what happened, when, in which app and browser, and what to do', () => {
  const message = messages.find((one) => one.kind === 'borrowed_selfie' && !one.ended)!;
  expect(write(to('en-GB'), message).text.split('\n\n').slice(0, 3)).toEqual([
    'Somebody began to sign in to Acme Wiki as you, and the selfie came from another browser than theirs. ' +
      'We stopped it: nobody got in.',
    'When: November 22, 2026 at 14:02 UTC\nBrowser: Firefox on some system',
    'If somebody sent you a link to a selfie, do not answer them, and take no selfie for a link that others ' +
      'send you. If it was you in both browsers, start again and stay in one.',
  ]);
});

test('a new address is told to the old one so far as its owner knows it again', () => {
  const message = messages.find(({ kind }) => kind === 'address_changed')!;
  const { text, html } = write(to(), message);
  expect(text.replaceAll('\u200b', '')).toContain('a…@example.org');
  expect(text + html).not.toContain('ana.maria');
});

test('every text of the catalogue about mails is used', () => {
  const asked = new Set<string>();
  const listening: Text = {
    ...text,
    translator(locale) {
      const t = text.translator(locale);
      return (key, values) => {
        asked.add(key);
        return t(key, values);
      };
    },
  };
  const operator = { name: 'Acme', supportAddress: 'help@acme.example' };
  const writeMail = createMailWords({ ...about, text: listening, sandbox: false, operator });
  for (const message of messages) writeMail(to(), message);
  const file = readFileSync(join(viewsDirectory, 'locales/en.json'), 'utf8');
  const keys = Object.keys(JSON.parse(file) as object).filter((key) => key.startsWith('mail.'));
  expect(keys.filter((key) => !asked.has(key))).toEqual([]);
});

test('who is not known yet is written to in the first language that they want and there is', () => {
  for (const [wanted, subject] of [
    ['tlh ja-JP es', 'Acmeのログイン用コード'],
    ['es-419 en', 'Su código para Acme'],
  ] as const) {
    expect(write(to(wanted), messages[0]!).subject).toBe(subject);
  }
});

test('who asked for a language that there is not is written to in English', () => {
  for (const locale of ['xx', '', '../../etc', undefined]) {
    expect(write(to(locale), messages[0]!).locale).toBe('en');
  }
});

describe('somebody else’s text', () => {
  const hostile: Record<string, string> = {
    markup: '<img src=x onerror=alert(1)><script>1</script>',
    'an attribute': '"><a href="https://evil.example">',
    'a template': '<%= process.env %>{client}${7*7}',
    'a line and a header': 'Wiki\r\nBcc: eve@evil.example\r\n\r\nhttps://evil.example/pay',
    'other ends of a line': 'Wiki\u2028https://evil.example\u2029\u0085\u000bx',
    'an address':
      'https://evil.example/pay www.evil.example evil.example/x mailto:eve@evil.example',
    'turned writing': 'Wiki\u202eelpmaxe.live',
    'far too much': 'Wiki '.repeat(2_000),
  };

  test.each(Object.entries(hostile))('[PL-14] %s changes neither page nor lines', (_, payload) => {
    const theirs = messagesOf(issuer, () => payload);
    for (const [at, plain] of messages.entries()) {
      const [usual, mail] = [write(to(), plain), write(to(), theirs[at] as Message)];
      expect(skeleton(mail.html), plain.kind).toEqual(skeleton(usual.html));
      expect(mail.text.split('\n').length).toBe(usual.text.split('\n').length);
      expect(mail.subject).toBe(usual.subject);
      expect(mail.text.length).toBeLessThan(usual.text.length + 500);
      expect(mail.text + shown(mail.html)).not.toMatch(/[\u202e\u2028\u2029\u0085\u000b\r]/);
      expect(linkable(mail.text + shown(mail.html)), plain.kind).toEqual([]);
    }
  });

  test('an operator’s name with an end of line in it begins no header', () => {
    const operator = { name: 'Acme\r\nBcc: eve@evil.example' };
    const mail = createMailWords({ ...about, sandbox: false, operator })(to(), messages[0]!);
    expect(mail.subject).toBe('Your code for Acme Bcc: eve@evil.example');
  });
});

/** Tags and attribute names, without any text or attribute value. */
function skeleton(html: string): string[] | null {
  return html.replace(/"[^"]*"/g, '""').match(/<[^>]*>/g);
}

/** What a mail program would make a link of, and is not ours. */
function linkable(said: string): string[] {
  return said.match(/\S*evil\.example\S*|\S*:\/\/evil\S*|mailto:[^\s\u200b]+/g) ?? [];
}
