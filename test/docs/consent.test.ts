import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { consentVersion } from '../../src/enrol/agree.ts';

/** Of what people read before they agree. Who changes a text gives it a new version, and people are asked again. */
const agreedTo: Readonly<Record<string, string>> = {
  '2026-11-25': 'HxFCdKnR_Z-T7JT5UdrbjYoHRqvqBXpb0P-jekMs5Cg',
};

test('[BD-07] the text that people agree to has the version that stands in their accounts', () => {
  const catalogue = new URL('../../views/locales/en.json', import.meta.url);
  const texts = Object.entries(
    JSON.parse(readFileSync(catalogue, 'utf8')) as Record<string, string>,
  ).filter(([key]) => key.startsWith('agree.') && !key.startsWith('agree.error.'));
  expect(texts.length).toBeGreaterThan(4);
  const hash = createHash('sha256').update(JSON.stringify(texts)).digest('base64url');
  expect(hash).toBe(agreedTo[consentVersion]);
});
