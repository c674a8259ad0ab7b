/** How weaknesses are told: the files are there, say what they have to, and their links lead somewhere (links.test.ts). */
import { expect, test } from 'vitest';
import { documents, exists, read, section } from './support.ts';

const policy = read('SECURITY.md');

test('[RL-12] the policy says how to report, what happens then, which versions are mended, and how releases are signed', () => {
  expect(documents).toContain('SECURITY.md');
  expect(section(policy, '## Reporting a weakness')).toMatch(/privately/);
  expect(section(policy, '## Reporting a weakness')).toContain('/.well-known/security.txt');
  expect(section(policy, '## What happens then')).toMatch(/advisory/i);
  expect(section(policy, '## Supported versions')).toMatch(/\| 0\.x /);
  expect(section(policy, '## Signed releases')).toContain('scripts/release.sh');
  expect(section(policy, '## What counts')).toContain('docs/security.md#who-might-attack');
});

test('[RL-12] the threat model, its gaps and the release script are where the policy says', () => {
  const links = [...policy.matchAll(/\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)/g)];
  expect(links.length).toBeGreaterThan(5);
  for (const [, file = '', anchor] of links) {
    expect(exists(file), file).toBe(true);
    if (anchor === undefined) continue;
    const headings = [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(headings, `${file}#${anchor}`).toContain(anchor);
  }
});

test('[RL-12] how a signature is verified is what the release script makes', () => {
  const script = read('scripts/release.sh');
  for (const part of ['-n didit-oidc-release', 'SHA256SUMS']) {
    expect(policy).toContain(part);
    expect(script).toContain(part);
  }
});
