/**
 * Which signals a rule can still meet when others come before it. A rule is a box, with one side a signal; what the
 * earlier rules leave of it is found by cutting them out, one after the other. It is exact: words are few, and
 * numbers count only by their limits.
 */
import type { Condition, Values, Word } from './policy.ts';

/** `to` is outside; Infinity is no end, and so inside. */
type Side = { anyOf: readonly Word[] } | { from: number; to: number };
export type Box = readonly Side[];

/** Rules that cut each other into more pieces than this are let be. */
const mostPieces = 5_000;

export function boxOf<Name extends string>(
  when: readonly Condition<Name>[],
  values: Readonly<Record<Name, Values>>,
): Box {
  const names = Object.keys(values) as Name[];
  return names.map((name) =>
    when
      .filter(({ signal }) => signal === name)
      .map((condition) => sideOf(condition, values[name]))
      .reduce(common, wholeSide(values[name])),
  );
}

export function isEmpty(box: Box): boolean {
  return box.some(isEmptySide);
}

export function isSame(one: Box, other: Box): boolean {
  return isCovered(one, [other]) && isCovered(other, [one]);
}

export function isCovered(box: Box, others: readonly Box[]): boolean {
  let left: readonly Box[] = [box];
  for (const other of others) {
    left = left.flatMap((piece) => subtract(piece, other));
    if (left.length === 0) return true;
    if (left.length > mostPieces) return false;
  }
  return false;
}

export function overlaps(one: Box, other: Box): boolean {
  return one.every((side, at) => {
    const beside = other[at];
    return beside === undefined || meet(side, beside);
  });
}

function meet(one: Side, other: Side): boolean {
  if ('anyOf' in one)
    return 'anyOf' in other && one.anyOf.some((word) => other.anyOf.includes(word));
  return !('anyOf' in other) && Math.max(one.from, other.from) < Math.min(one.to, other.to);
}

function subtract(box: Box, other: Box): Box[] {
  if (!overlaps(box, other)) return [box];
  const left: Box[] = [];
  let inside = box;
  for (const [at, side] of box.entries()) {
    const shared = commonAt(side, other, at);
    for (const rest of without(side, shared)) left.push(inside.with(at, rest));
    inside = inside.with(at, shared);
  }
  return left;
}

function wholeSide(values: Values): Side {
  return 'from' in values ? { from: values.from, to: Infinity } : { anyOf: values };
}

function sideOf(condition: Condition<string>, values: Values): Side {
  if ('anyOf' in condition) return { anyOf: condition.anyOf };
  const { atLeast = -Infinity, below = Infinity } = condition;
  // Of whole numbers, what is at least 1.5 is at least 2.
  const round = 'from' in values && values.isWhole ? Math.ceil : (limit: number): number => limit;
  return { from: round(atLeast), to: round(below) };
}

function commonAt(side: Side, other: Box, at: number): Side {
  const beside = other[at];
  return beside ? common(side, beside) : side;
}

function common(one: Side, other: Side): Side {
  if ('anyOf' in one) {
    return 'anyOf' in other
      ? { anyOf: one.anyOf.filter((word) => other.anyOf.includes(word)) }
      : { anyOf: [] };
  }
  return 'anyOf' in other
    ? { anyOf: [] }
    : { from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) };
}

/** @param inner lies within `side`. */
function without(side: Side, inner: Side): Side[] {
  if ('anyOf' in side) {
    const words = 'anyOf' in inner ? inner.anyOf : [];
    return [{ anyOf: side.anyOf.filter((word) => !words.includes(word)) }].filter(isNotEmpty);
  }
  if ('anyOf' in inner) return [side];
  return [
    { from: side.from, to: inner.from },
    { from: inner.to, to: side.to },
  ].filter(isNotEmpty);
}

function isEmptySide(side: Side): boolean {
  return 'anyOf' in side ? side.anyOf.length === 0 : side.from >= side.to;
}

function isNotEmpty(side: Side): boolean {
  return !isEmptySide(side);
}
