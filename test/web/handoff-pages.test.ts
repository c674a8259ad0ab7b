/** The order of what is offered beside a hand-off, and what the pages say and do not say. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadAssets } from '../../src/web/assets.ts';
import { createPages } from '../../src/web/pages.ts';
import { samples } from './page-samples.ts';

const viewsDirectory = join(import.meta.dirname, '../../views');
const assets = loadAssets({ directory: join(viewsDirectory, 'assets') });
const pages = createPages({ viewsDirectory, operator: { name: 'Acme' }, sandbox: false, assets });
const plain = samples((text) => text);
const rendered = (name: string): string => pages.render(plain[name]!, { locale: 'en' });

function inOrder(html: string, ...parts: string[]): void {
  const places = parts.map((part) => html.indexOf(part));
  expect(places, parts.join(' before ')).not.toContain(-1);
  expect(places).toEqual([...places].sort((one, other) => one - other));
}

test('[XD-14] a passkey comes before the phone’s camera, wherever that is offered or shown', () => {
  inOrder(rendered('capture'), 'Sign in with a passkey', 'Use your phone’s camera');
  inOrder(rendered('handoff'), 'Sign in with a passkey', 'class="qr"');
});

test('[XD-12] the phone’s page says who asks, from where and since when, before anything to press', () => {
  inOrder(
    rendered('phone'),
    'on a screen in front of you',
    '<dd><bdi>wiki.acme.example',
    'Chrome on Windows',
    'In the same network as this phone',
    '12 seconds ago',
    'That is my screen',
    'This isn’t me',
  );
});

test('[XD-12] neither answer on the phone’s page stands out', () => {
  expect(rendered('phone')).not.toMatch(/<button[^>]*class=/);
});

test('[XD-13] the page with the code says that nobody else may have it', () => {
  expect(rendered('phoneCode')).toContain('Never tell it to anybody');
});
