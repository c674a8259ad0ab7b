/**
 * Didit's wire format (canonical, signature, wire) and, above it, all that talks to Didit. Only this room and
 * the simulator know the shape of Didit's messages.
 *
 * Here: JSON text → the value it says and the one text that `X-Signature-V2` is computed over. That text is
 * Python's `json.dumps(…, sort_keys=True, ensure_ascii=False, separators=(',', ':'))` after floats without a
 * fraction became integers. JSON.parse cannot serve as the first half: it lets the last of two equal keys win,
 * takes `__proto__` for an ordinary key, forgets how a number was written (`1e-05`, twenty digits) and recurses. So
 * this file reads the text itself, without recursion and within bounds, and returns value and canonical text from
 * the same pass: what was verified is what is used.
 */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
/** Made without a prototype, so that no key of it can reach one. */
export interface JsonObject {
  [key: string]: JsonValue;
}

export type JsonRefusal =
  'invalid_json' | 'duplicate_key' | 'forbidden_key' | 'too_deep' | 'too_many_values';

export type CanonicalJson =
  { ok: true; value: JsonValue; canonical: string } | { ok: false; reason: JsonRefusal };

const depthMax = 32;
const valuesMax = 20_000;

interface Item {
  value: JsonValue;
  canonical: string;
}

interface OpenArray {
  kind: 'array';
  value: JsonValue[];
  canonicals: string[];
}

interface OpenObject {
  kind: 'object';
  value: JsonObject;
  canonicals: Map<string, string>;
  /** The key whose value is being read. */
  key: string;
}

class Refused extends Error {
  readonly reason: JsonRefusal;
  constructor(reason: JsonRefusal) {
    super(reason);
    this.reason = reason;
  }
}

export function readCanonicalJson(text: string): CanonicalJson {
  try {
    return { ok: true, ...readDocument(new Reader(text)) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, reason: error.reason };
    throw error;
  }
}

function readDocument(reader: Reader): Item {
  const open: (OpenArray | OpenObject)[] = [];
  let valuesRead = 0;
  for (;;) {
    if (++valuesRead > valuesMax) throw new Refused('too_many_values');
    let item = beginValue(reader, open);
    while (item !== undefined) {
      const container = open.at(-1);
      if (container === undefined) {
        reader.expectEnd();
        return item;
      }
      item = addTo(container, item, reader);
      if (item !== undefined) open.pop();
    }
  }
}

/** Reads a whole scalar or empty container; opens any other container and returns undefined. */
function beginValue(reader: Reader, open: (OpenArray | OpenObject)[]): Item | undefined {
  const isArray = reader.takes('[');
  if (!isArray && !reader.takes('{')) return readScalar(reader);
  if (open.length >= depthMax) throw new Refused('too_deep');
  if (isArray) {
    if (reader.takes(']')) return { value: [], canonical: '[]' };
    open.push({ kind: 'array', value: [], canonicals: [] });
    return undefined;
  }
  const value = Object.create(null) as JsonObject;
  if (reader.takes('}')) return { value, canonical: '{}' };
  const object: OpenObject = { kind: 'object', value, canonicals: new Map(), key: '' };
  object.key = readKey(reader, object);
  open.push(object);
  return undefined;
}

/** @returns the container as an item when this was its last member. */
function addTo(container: OpenArray | OpenObject, item: Item, reader: Reader): Item | undefined {
  if (container.kind === 'array') {
    container.value.push(item.value);
    container.canonicals.push(item.canonical);
    if (reader.takes(',')) return undefined;
    reader.expect(']');
    return { value: container.value, canonical: `[${container.canonicals.join(',')}]` };
  }
  container.value[container.key] = item.value;
  container.canonicals.set(container.key, item.canonical);
  if (reader.takes(',')) {
    container.key = readKey(reader, container);
    return undefined;
  }
  reader.expect('}');
  return { value: container.value, canonical: canonicalObject(container.canonicals) };
}

function readKey(reader: Reader, object: OpenObject): string {
  const key = reader.readString();
  if (object.canonicals.has(key)) throw new Refused('duplicate_key');
  // Without a prototype these are harmless here; refused all the same, since a later copy may have one.
  if (key === '__proto__' || key === 'constructor') throw new Refused('forbidden_key');
  reader.expect(':');
  return key;
}

function canonicalObject(members: Map<string, string>): string {
  // Python sorts by code point. That is the order of the UTF-8 bytes, and not that of JavaScript's UTF-16 units.
  const sorted = [...members]
    .map(([key, canonical]) => ({ bytes: Buffer.from(key), key, canonical }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  return `{${sorted.map(({ key, canonical }) => `${JSON.stringify(key)}:${canonical}`).join(',')}}`;
}

function readScalar(reader: Reader): Item {
  if (reader.isAtString()) {
    const value = reader.readString();
    return { value, canonical: JSON.stringify(value) };
  }
  if (reader.takes('true')) return { value: true, canonical: 'true' };
  if (reader.takes('false')) return { value: false, canonical: 'false' };
  if (reader.takes('null')) return { value: null, canonical: 'null' };
  const token = reader.readNumber();
  const value = Number(token);
  if (!Number.isFinite(value)) throw new Refused('invalid_json');
  // Only what Python reads as a float may change its text; a long integer keeps every digit.
  const isFloat = /[.eE]|^-0$/.test(token);
  const canonical = isFloat && Number.isInteger(value) ? BigInt(value).toString() : token;
  return { value, canonical };
}

/** The text and the place in it. Every method leaves the place behind what it has read. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  takes(literal: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  expect(literal: string): void {
    if (!this.takes(literal)) throw new Refused('invalid_json');
  }

  expectEnd(): void {
    this.#skipSpace();
    if (this.#at !== this.#text.length) throw new Refused('invalid_json');
  }

  isAtString(): boolean {
    this.#skipSpace();
    return this.#text[this.#at] === '"';
  }

  /** Finds the closing quote here and leaves escapes and control characters to JSON.parse, which is exact in them. */
  readString(): string {
    if (!this.isAtString()) throw new Refused('invalid_json');
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    const value = parseString(this.#text.slice(this.#at, end + 1));
    this.#at = end + 1;
    return value;
  }

  readNumber(): string {
    const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    number.lastIndex = this.#at;
    const token = number.exec(this.#text)?.[0];
    if (token === undefined) throw new Refused('invalid_json');
    this.#at += token.length;
    return token;
  }

  #skipSpace(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'end')) this.#at += 1;
  }
}

function parseString(literal: string): string {
  let value: unknown;
  try {
    value = JSON.parse(literal);
  } catch {
    throw new Refused('invalid_json');
  }
  // Half a surrogate pair has no UTF-8, so no signature over it could mean anything.
  if (typeof value !== 'string' || !value.isWellFormed()) throw new Refused('invalid_json');
  return value;
}
