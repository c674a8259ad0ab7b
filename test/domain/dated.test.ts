import { describe, expect, it } from 'vitest';
import { inOrder, parseDated, writeDated } from '../../src/domain/dated.ts';

const at = (text: string): number => Date.parse(text);
const noon = at('2026-12-01T12:00:00Z');

describe('a dated secret', () => {
  it.each([
    ['alone', -Infinity, Infinity],
    ['begun from 2026-12-01T00:00:00Z', at('2026-12-01T00:00:00Z'), Infinity],
    ['ending until 2026-12-02T00:00:00Z', -Infinity, at('2026-12-02T00:00:00Z')],
    [
      'both from 2026-12-01T00:00:00Z until 2026-12-02T00:00:00Z',
      at('2026-12-01T00:00:00Z'),
      at('2026-12-02T00:00:00Z'),
    ],
  ])('"%s" is read, and written as it was', (text, fromMs, untilMs) => {
    const dated = parseDated(text);
    expect(dated).toEqual({ secret: text.split(' ')[0], fromMs, untilMs });
    expect(writeDated(dated!)).toBe(text);
  });

  it.each([
    '',
    'two words',
    'a until 2026-02-31T00:00:00Z',
    'a from 2026-12-01',
    'a until 2026-12-01T00:00:00Z from 2026-11-01T00:00:00Z',
    'a from 2026-12-02T00:00:00Z until 2026-12-01T00:00:00Z',
  ])('"%s" is none', (text) => {
    expect(parseDated(text)).toBeUndefined();
  });
});

describe('of a list', () => {
  it('[PL-03] a key is understood before it is used', () => {
    const list = ['new from 2026-12-01T12:00:01Z', 'old'];
    expect(inOrder(list, noon)).toEqual(['old', 'new']);
    expect(inOrder(list, noon + 1_000)).toEqual(['new', 'old']);
  });

  it('what is over is not there any more', () => {
    const list = ['new', 'old until 2026-12-01T12:00:01Z'];
    expect(inOrder(list, noon)).toEqual(['new', 'old']);
    expect(inOrder(list, noon + 1_000)).toEqual(['new']);
  });

  it('of those that are to come the nearest is used where there is no other', () => {
    const list = ['later from 2026-12-03T00:00:00Z', 'sooner from 2026-12-02T00:00:00Z'];
    expect(inOrder(list, noon)).toEqual(['sooner', 'later']);
  });

  it('a text with spaces that says no time is a key as it is', () => {
    expect(inOrder(['some words', 'old'], noon)).toEqual(['some words', 'old']);
  });
});
