import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readCanonicalJson } from '../../src/didit/canonical.ts';

interface Vector {
  text: string;
  canonical: string;
}

const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const canonicalOf = (text: string) => {
  const json = readCanonicalJson(text);
  return json.ok ? json.canonical : json.reason;
};

test("[WH-05] the canonical text is Python's, over vectors made by Python", () => {
  const vectors = JSON.parse(readFileSync(beside('vectors.json'), 'utf8')) as Vector[];
  expect(vectors).toHaveLength(80);
  for (const { text, canonical } of vectors) expect(canonicalOf(text)).toBe(canonical);
});

// The vectors above stand in for this one on a machine without Python.
if (spawnSync('python3', ['--version']).status === 0) {
  test("[WH-05] the canonical text is Python's, over 100,000 fresh bodies", () => {
    const seed = Date.now();
    const python = spawnSync('python3', [beside('vectors.py'), String(seed), '100000'], {
      encoding: 'utf8',
      maxBuffer: 1024 * 1024 * 1024,
    });
    const lines = python.stdout.trim().split('\n');
    expect(lines).toHaveLength(100_000);
    const wrong = lines
      .map((line) => JSON.parse(line) as Vector)
      .filter(({ text, canonical }) => canonicalOf(text) !== canonical);
    expect(wrong, `seed ${seed}`).toEqual([]);
  }, 120_000);
}

test.each([
  ['{"10":1,"9":2}', '{"10":1,"9":2}'],
  ['{"b":1,"a":{"d":1,"c":2}}', '{"a":{"c":2,"d":1},"b":1}'],
  ['{"_":1,"Z":2,"a":3}', '{"Z":2,"_":1,"a":3}'],
  ['{"😀":1,"\uffee":2}', '{"\uffee":2,"😀":1}'],
  ['[92.0, 96.41, -0.0, -0, 1e-05, 1e22]', '[92,96.41,0,0,1e-05,10000000000000000000000]'],
  ['12345678901234567890123', '12345678901234567890123'],
  ['"\\u304b\\/\\u007f\\u001f"', '"か/\u007f\\u001f"'],
  [' { } ', '{}'],
  ['[ [ ] , null , true , false ]', '[[],null,true,false]'],
])('[WH-05] %s becomes %s', (text, canonical) => {
  expect(canonicalOf(text)).toBe(canonical);
});

test.each([
  '',
  '{',
  '[1,]',
  '{"a":1,}',
  '{"a" 1}',
  '{a:1}',
  "{'a':1}",
  '01',
  '1.',
  '.5',
  '+1',
  '1e400',
  'NaN',
  'Infinity',
  'truefalse',
  '1 2',
  '"a\nb"',
  '"\\x"',
  '"open',
  '"open\\',
  '"\\ud800"',
  '\ufeff{}',
  '{"a":1}}',
  '[1}',
])('[WH-05] %j is refused as no JSON', (text) => {
  expect(canonicalOf(text)).toBe('invalid_json');
});

test.each([
  '{"status":"Declined","status":"Approved"}',
  '{"status":"Declined","\\u0073tatus":"Approved"}',
  '{"a":[{"b":1,"b":1}]}',
])('[WH-04] the duplicate key in %s is refused', (text) => {
  expect(canonicalOf(text)).toBe('duplicate_key');
});

test.each([
  '{"__proto__":{"face_matches":[{"status":"Approved","score":99.9}]}}',
  '{"a":[{"\\u005f_proto__":1}]}',
  '{"constructor":{"prototype":{"x":1}}}',
])('[WH-04] the key that reaches for a prototype in %s is refused', (text) => {
  expect(canonicalOf(text)).toBe('forbidden_key');
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

test('[WH-04] objects have no prototype, at every depth', () => {
  const json = readCanonicalJson('{"a":{"b":[{}]}}');
  if (!json.ok) throw new Error(json.reason);
  const { a } = json.value as { a: { b: object[] } };
  for (const object of [json.value, a, a.b[0]]) expect(Object.getPrototypeOf(object)).toBeNull();
});

test('[WH-05] 32 levels are read, 33 and 100,000 are refused without a stack overflow', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect(canonicalOf(nested(32))).toBe(nested(32));
  expect(canonicalOf(nested(33))).toBe('too_deep');
  expect(canonicalOf(nested(100_000))).toBe('too_deep');
  expect(canonicalOf('{"a":'.repeat(100_000))).toBe('too_deep');
});

test('[WH-05] 20,000 values are read and one more is refused', () => {
  const list = (length: number) => `[${Array(length).fill('0').join(',')}]`;
  expect(canonicalOf(list(19_999))).toBe(list(19_999));
  expect(canonicalOf(list(20_000))).toBe('too_many_values');
});

test('[WH-05] one long string and one long number are read in one go', () => {
  const long = `"${'\\u00e9'.repeat(80_000)}"`;
  expect(canonicalOf(long)).toBe(`"${'é'.repeat(80_000)}"`);
  expect(canonicalOf('1'.repeat(500_000))).toBe('invalid_json');
});
