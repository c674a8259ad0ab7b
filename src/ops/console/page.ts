/**
 * console/ is where operators work. A page is a path, what it shows and its forms; a form is one of the acts
 * (ops/acts), so what a role may do is decided there and nowhere here. Everything is looked at and done through
 * `perform`, in this process.
 */
import type { z } from 'zod';
import type { Act, Role } from '../acts/act.ts';
import type { GivenInput } from '../acts/perform.ts';
import type { NamesOf } from './names.ts';
import type { Visitor } from './sessions.ts';

export type Values = ReadonlyMap<string, string>;

type Look = <A extends Act>(act: A, input?: GivenInput) => Promise<z.output<A['answer']>>;

/** What somebody who looks at a page brings along. */
export interface Ask {
  visitor: Visitor;
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  /** Performs one of the acts that only look. @throws Problem, as `perform` does. */
  look: Look;
  /** The same for what the page shows besides: its main act is told, and these are parts of that. */
  also: Look;
  /** What the operators among these ids are called. */
  namesOf: NamesOf;
  may: (role: Role) => boolean;
  nowMs: number;
  /** What the form before this page left to be shown this once. */
  once: unknown;
}

export interface Shown {
  title: string;
  /** What the template takes; see views/console. */
  data: object;
}

export interface Field {
  name: string;
  label: string;
  type?:
    | 'text'
    | 'email'
    | 'number'
    | 'time'
    | 'lines'
    | 'check'
    | 'hidden'
    /** Rows that the template draws, each of fields whose names begin with this one's and a colon. */
    | 'rows'
    | { choose: readonly Choice[] };
  hint?: string;
  value?: string;
  isRequired?: true;
  /** The template has what may well be typed, as `choices` of this name. */
  suggest?: string;
}

export type Choice = readonly [value: string, label: string];

export interface ConsoleForm<A extends Act = Act> {
  /** Its path is that of its page and this. */
  name: string;
  act: A;
  /** The words on its button. */
  button: string;
  title?: string;
  fields?: readonly Field[];
  /** It takes something away. */
  isGrave?: true;
  /** It is not what somebody comes to its page for. */
  isSecond?: true;
  /** What will happen, said before the button can be pressed. */
  confirm?: string;
  input: (values: Values, params: Readonly<Record<string, string>>) => GivenInput;
  /** Where they go on, and what is shown there this once. */
  done(
    answer: z.output<A['answer']>,
    params: Readonly<Record<string, string>>,
  ): { to: string; once?: object };
  /** What the page says then. */
  said: string;
}

/** Lets `done` know what its act answers. */
export function form<A extends Act>(described: ConsoleForm<A>): ConsoleForm<A> {
  return described;
}

export interface ConsolePage {
  /** Its template, too. */
  name: string;
  /** Below /console. */
  path: string;
  /** In the list of pages. */
  inMenu?: string;
  /** The path of the one in the list that it belongs to, if its own does not say so. */
  within?: string;
  /** Whom its place in the list is for. */
  role: Role;
  forms?: readonly ConsoleForm[];
  show: (ask: Ask) => Promise<Shown>;
}

/** What somebody typed, without the empty fields. */
export function typedIn(values: Values, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = values.get(name)?.trim();
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}

/** What the browser's field for a day and a time says, in UTC. */
export const asTime = (text: string): string =>
  /^[\d-]+T\d\d:\d\d$/.test(text) ? `${text}:00Z` : text;

export const linesIn = (values: Values, name: string): string[] =>
  (values.get(name) ?? '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
