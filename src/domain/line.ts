/**
 * What somebody else wrote and people read in one line, in a terminal or a list: there control characters steer what
 * stands around it, and those for the direction of writing make it read as another one.
 */
const steering = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const everySteering = new RegExp(steering, 'gu');

export const isPlainLine = (text: string): boolean => !steering.test(text);

/** Shown instead of obeyed. */
export const asPlainLine = (text: string): string =>
  text.replace(
    everySteering,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
