import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadAssets } from '../../src/web/assets.ts';
import { createPages } from '../../src/web/pages.ts';

const views = new URL('../../views', import.meta.url).pathname;
const assets = loadAssets({ directory: join(views, 'assets'), colour: undefined });
const client = { name: 'Wiki', host: 'wiki.example' };
const reasons = ['declined', 'elsewhere', 'not_finished', 'unavailable', 'limited'] as const;

function refusal(reason: (typeof reasons)[number], supportAddress?: string): string {
  const pages = createPages({
    ...{ viewsDirectory: views, sandbox: false, assets },
    operator: { name: 'Acme', ...(supportAddress ? { supportAddress } : {}) },
  });
  const actions = { tryAgain: '/again', factor: '/factor', back: '/back' };
  return pages.render(
    { page: 'fallback', client, reason, ways: ['mail'], actions },
    { locale: 'en', reference: '7F3K-29QD' },
  );
}

test.each(reasons)(
  '[BD-13] who is refused (%s) can try again, go another way, go back, and have a person look at it',
  (reason) => {
    const page = refusal(reason, 'help@acme.example');
    for (const way of ['/again', '/factor', '/back']) expect(page).toContain(way);
    expect(page).toContain('a person can look at it');
    expect(page).toContain('7F3K-29QD');
    expect(page).toContain('href="mailto:help@acme.example"');
    // Without an address, at least whose person it is.
    expect(refusal(reason)).toContain('A person at Acme can help you.');
  },
);
