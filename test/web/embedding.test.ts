/** Nobody's page is in ours, and ours listens to nobody's: a selfie is asked for by a redirect, and by nothing else. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const texts = (pattern: string): (readonly [string, string])[] =>
  globSync(pattern, { cwd: root }).map((name) => [name, readFileSync(root + name, 'utf8')]);

const pages = texts('views/**/*.eta');
const scripts = texts('views/assets/**/*.js');

/** One place may listen: to the stream of our own server, which only says to look again. */
const stream = /^const events = new EventSource\([^]*?^events\.addEventListener\('message'/m;
const listens = /\bonmessage(error)?\b|\bpostMessage\b|['"`]message(error)?['"`]/g;
const frames = /(<|createElement\(.)(iframe|frame|frameset|object|embed|portal|fencedframe)\b/i;

describe('[XD-19] what a sign-in shows and runs', () => {
  test.each(scripts)('listens to no other window: %s', (_, script) => {
    const own = stream.test(script) ? 1 : 0;
    expect(script.match(listens) ?? []).toHaveLength(own);
  });

  test.each([...pages, ...scripts])('frames nothing, and has no script in it: %s', (name, text) => {
    expect(text).not.toMatch(frames);
    if (name.endsWith('.js')) return;
    expect(text).not.toMatch(listens);
    expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|\son\w+=/i);
  });

  test('is all of it', () => {
    expect(pages.length).toBeGreaterThan(30);
    expect(scripts.map(([name]) => name)).toContain('views/assets/waiting.js');
    expect(scripts.filter(([, script]) => stream.test(script))).toHaveLength(1);
  });
});
