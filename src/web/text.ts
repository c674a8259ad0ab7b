/**
 * The words: one catalogue of ICU messages a language, `locales/<tag>.json`.
 *
 * A missing key or a missing value throws instead of showing a key to a person; the page tests
 * render every page in every language, so that it is the test that meets the exception.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';

export type Translate = (key: string, values?: Readonly<Record<string, string | number>>) => string;

export interface Text {
  /** The best language that exists for the tags a person asked for, most wanted first. */
  negotiate(wanted: readonly string[]): string;
  /** For keys that are made of a stranger's words, such as the name of a scope. */
  has(locale: string, key: string): boolean;
  translator(locale: string): Translate;
}

const defaultLocale = 'en';
/** What RFC 5646 (4.4.1) asks software to hold. */
const longestTag = 35;

/** Reads and parses every catalogue at once: a broken message stops the start, not a sign-in. */
export function loadText(directory: string): Text {
  const catalogues = new Map(
    readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => {
        const locale = basename(file, '.json');
        return [locale, loadCatalogue(join(directory, file), locale)] as const;
      }),
  );
  const catalogueOf = (locale: string): Map<string, IntlMessageFormat> => {
    const catalogue = catalogues.get(locale);
    if (catalogue === undefined) throw new Error(`no catalogue for the language "${locale}"`);
    return catalogue;
  };

  return {
    negotiate(wanted) {
      for (const tag of wanted) {
        const found = lookUp(tag, [...catalogues.keys()]);
        if (found !== undefined) return found;
      }
      return defaultLocale;
    },
    has: (locale, key) => catalogueOf(locale).has(key),
    translator(locale) {
      const catalogue = catalogueOf(locale);
      return (key, values) => {
        const message = catalogue.get(key);
        if (message === undefined) throw new Error(`no text "${key}" in the language "${locale}"`);
        return String(message.format(values && withoutDirectionControls(values)));
      };
    },
  };
}

function loadCatalogue(file: string, locale: string): Map<string, IntlMessageFormat> {
  const messages = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  return new Map(
    Object.entries(messages).map(([key, message]) => [
      key,
      // Tags stay text: markup belongs to the templates, which escape whatever a message says.
      new IntlMessageFormat(message, locale, undefined, { ignoreTag: true }),
    ]),
  );
}

/** RFC 4647 lookup: `de-AT` is content with `de`. Of a tag that is longer than any there is, nothing is looked up. */
function lookUp(tag: string, locales: readonly string[]): string | undefined {
  if (tag.length > longestTag) return undefined;
  let range = tag.toLowerCase();
  for (;;) {
    const found = locales.find((locale) => locale.toLowerCase() === range);
    if (found !== undefined) return found;
    const end = range.lastIndexOf('-');
    if (end === -1) return undefined;
    range = range.slice(0, end);
  }
}

/** An app's name must not turn around the sentence that it stands in. */
function withoutDirectionControls(
  values: Readonly<Record<string, string | number>>,
): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'string'
        ? value.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
        : value,
    ]),
  );
}
