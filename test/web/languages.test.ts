/** The catalogues beside the English one, and which of them somebody gets. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';
import Koa from 'koa';
import { describe, expect, test } from 'vitest';
import { createPages } from '../../src/web/pages.ts';
import { createShowPage } from '../../src/web/respond.ts';
import { serve } from './http.ts';
import { samples } from './page-samples.ts';

const viewsDirectory = join(import.meta.dirname, '../../views');
const directory = join(viewsDirectory, 'locales');
const locales = readdirSync(directory).map((file) => file.replace('.json', ''));
const others = locales.filter((locale) => locale !== 'en');
const catalogue = (locale: string) =>
  JSON.parse(readFileSync(join(directory, `${locale}.json`), 'utf8')) as Record<string, string>;
const english = catalogue('en');
const pages = createPages({
  ...{ viewsDirectory, operator: { name: 'Acme' }, sandbox: false },
  assets: { href: (name) => `/assets/${name}` },
});
const plain = samples((text) => text);

/** A piece of a parsed message: text has no options, a plural has one for each of its forms. */
interface Piece {
  type: number;
  value?: string;
  options?: Record<string, { value: Piece[] }>;
}
const [literal, plural, pound] = [0, 6, 7];

function piecesOf(message: string, locale: string): Piece[] {
  const within = (pieces: readonly Piece[]): Piece[] =>
    pieces.flatMap((piece) => [
      piece,
      ...Object.values(piece.options ?? {}).flatMap(({ value }) => within(value)),
    ]);
  const format = new IntlMessageFormat(message, locale, undefined, { ignoreTag: true });
  return within(format.getAst());
}

/** What a message is filled with, and how: a form that is chosen by a number stays one. */
const valuesOf = (message: string, locale: string): string[] => {
  const filled = piecesOf(message, locale).filter(({ type }) => type !== literal && type !== pound);
  return [...new Set(filled.map(({ type, value }) => `${value} ${type}`))].sort();
};

test('people are spoken to in English, Spanish and Japanese', () => {
  expect(locales).toEqual(['en', 'es', 'ja']);
});

describe.each(others)('the catalogue %s', (locale) => {
  const own = catalogue(locale);

  test('[AX-08] has every key and no other, in the order of the English one', () => {
    expect(Object.keys(own)).toEqual(Object.keys(english));
  });

  test('[AX-08] fills each text with the same values as the English one', () => {
    const shape = (texts: Record<string, string>, language: string) =>
      Object.fromEntries(
        Object.entries(texts).map(([key, text]) => [key, valuesOf(text, language)]),
      );
    expect(shape(own, locale)).toEqual(shape(english, 'en'));
  });

  test('[AX-08] leaves nothing in English, and no name out', () => {
    // A word that is the same in both languages would have to be named here.
    expect(Object.keys(english).filter((key) => own[key] === english[key])).toEqual([]);
    for (const name of ['Didit', 'JavaScript', 'example.com']) {
      const keys = Object.keys(english).filter((key) => english[key]!.includes(name));
      expect(keys.filter((key) => !own[key]!.includes(name))).toEqual([]);
    }
  });
});

test.each(locales)(
  '[AX-08] in %s each number has its form, and no form is none of the language',
  (locale) => {
    const rules = new Intl.PluralRules(locale);
    const needed = new Set(Array.from({ length: 1_000 }, (_, number) => rules.select(number)));
    const possible = new Set<string>(rules.resolvedOptions().pluralCategories);
    let seen = 0;
    for (const [key, text] of Object.entries(catalogue(locale))) {
      for (const { type, options = {} } of piecesOf(text, locale)) {
        if (type !== plural) continue;
        seen += 1;
        const forms = Object.keys(options).filter((form) => !form.startsWith('='));
        expect(needed.difference(new Set(forms)), key).toEqual(new Set());
        expect(new Set(forms).difference(possible), key).toEqual(new Set());
      }
    }
    expect(seen).toBeGreaterThan(2);
  },
);

test('numbers are counted as each language counts', () => {
  const left = (locale: string, codesLeft: number) =>
    pages.render({ ...plain.account, codesLeft } as (typeof plain)[string], { locale });
  expect(left('es', 0)).toContain('No tiene códigos de recuperación.');
  expect(left('es', 1)).toContain('Queda un código.');
  expect(left('es', 7)).toContain('Quedan 7 códigos.');
  expect(left('ja', 0)).toContain('復旧コードはありません。');
  expect(left('ja', 1)).toContain('残りのコードは1個です。');
});

test('a page says its language, in that language, and writes days and times as it does', () => {
  const day = { en: 'Nov 22, 2026, 2:02 PM UTC', es: '22 nov 2026, 14:02 UTC' };
  for (const [locale, name, when] of [
    ['en', 'English', day.en],
    ['es', 'Español', day.es],
    ['ja', '日本語', '2026/11/22 14:02 UTC'],
  ] as const) {
    for (const page of [plain.account!, plain.continue!, plain.sureFace!]) {
      const html = pages.render(page, { locale }).replaceAll('\u202f', ' ');
      expect(html).toContain(`<html lang="${locale}">`);
      expect(html).toContain(`<li>${name}</li>`);
      expect(html).toContain(when);
    }
  }
});

describe('which language somebody gets', () => {
  const unknownTags = Array.from({ length: 20 }, (_, number) => `x${number}`).join(' ');

  /** What the page of a request says: its header, and its own attribute. */
  async function languageOf(uiLocales: string | undefined, header?: string): Promise<string> {
    const show = createShowPage(pages, Date.now);
    const app = new Koa();
    app.use((ctx) => show(ctx, 200, { page: 'foreign' }, { uiLocales }));
    const served = await serve((req, res) => void app.callback()(req, res));
    const { headers, body } = await served.ask({
      headers: header === undefined ? {} : { 'accept-language': header },
    });
    const [, lang = ''] = /<html lang="([^"]+)">/.exec(body) ?? [];
    expect(headers['content-language']).toBe(lang);
    return lang;
  }

  test.each([
    ['ja', undefined, 'ja'],
    ['es-419 ja', undefined, 'es'],
    ['tlh JA-jp es', undefined, 'ja'],
    [undefined, 'ja,en;q=0.8', 'ja'],
    [undefined, 'en;q=0.5, es-MX;q=0.9', 'es'],
    [undefined, 'tlh, *;q=0.1', 'en'],
    [undefined, undefined, 'en'],
    ['es', 'ja', 'es'],
    ['tlh', 'ja', 'ja'],
    ['', 'es', 'es'],
    ['../../etc/passwd " ja\u202e', 'es', 'es'],
    ['aa '.repeat(99), 'ja', 'ja'],
    [unknownTags, 'ja', 'en'],
  ])('ui_locales %j and Accept-Language %j: %s', async (uiLocales, header, language) => {
    expect(await languageOf(uiLocales, header)).toBe(language);
  });
});
