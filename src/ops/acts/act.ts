/**
 * acts/ is everything that an operator can do, one table. The API's routes, its document, the tests of who may do what
 * and the console's forms come from it, and `perform` is the one door to all of it. None of the acts marks a sign-in or
 * an account as proven: that is not for operators to say.
 */
import { z } from 'zod';
import type { Role } from '../../domain/operator.ts';
import type { ActTools } from './tools.ts';

export { type Role, roles } from '../../domain/operator.ts';

/** `command`: somebody at the machine itself, as they named themselves. */
export interface Actor {
  kind: 'operator' | 'key' | 'command';
  /** For the audit log: see AuditEvent.operators. */
  name: string;
  /** Of operators and commands. */
  role?: Role;
  /** Of keys. */
  scopes?: readonly string[];
  expiresAtMs?: number;
  /** Of operators: when and how they signed in to the console. */
  authTime?: number;
  acr?: string;
}

type Part = z.ZodObject;
export type Nothing = z.ZodObject<Record<string, never>, z.core.$strict>;

export interface ActInput<P extends Part, Q extends Part, B extends Part> {
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
  /** Of acts that change one version of something: which one. */
  ifVersion: string;
}

export interface Act<
  P extends Part = Part,
  Q extends Part = Part,
  B extends Part = Part,
  A extends Part = Part,
> {
  /** `clients.add`: its kind of object, and what is done. */
  id: string;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/admin/v1`; `:id` is one of its params. */
  path: string;
  summary: string;
  /** The least that an operator has to be. */
  role: Role;
  /** What a key has to have. */
  scope: `${string}:${'read' | 'write'}`;
  /** At the console it takes a sign-in of the last five minutes. */
  isDangerous?: true;
  /** It takes two people who signed in with something strong; never a key. The act itself counts them. */
  takesTwo?: true;
  /** It changes one version of something, which the caller has to name. */
  isVersioned?: true;
  /** Of an answer over HTTP, where it is not 200. */
  status?: 201;
  /** Strict objects: what is not named in them is refused. */
  params?: P;
  query?: Q;
  body?: B;
  /** Whatever else `run` returns stays here. A `version` is the object's. */
  answer: A;
  /** What it was done to, for the audit log; else `params.id`. Of what many are listed by: whom somebody asked for. */
  objectOf?(
    answer: z.output<A>,
    input: ActInput<P, Q, B>,
    tools: Pick<ActTools, 'accounts'>,
  ): string | undefined | Promise<string | undefined>;
  /** Whom it was about, for the audit log, where that is not the object. */
  accountOf?(answer: z.output<A>): string | undefined;
  /** What the audit log keeps besides of something that is gone now. */
  noteOf?(answer: z.output<A>, input: ActInput<P, Q, B>): string | undefined;
  run(input: ActInput<P, Q, B>, tools: ActTools, by: Actor): Promise<z.input<A>>;
}

/** Lets `run` know the types of its schemas. */
export function act<
  A extends Part,
  P extends Part = Nothing,
  Q extends Part = Nothing,
  B extends Part = Nothing,
>(described: Act<P, Q, B, A>): Act<P, Q, B, A> {
  return described;
}

/** Of a page: how many, and after which. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(300).optional(),
};

/** The id in a path. */
export const idParam = z.strictObject({ id: z.string().min(1).max(254) });

export const done = z.object({ done: z.literal(true) });

export { isoTime } from '../../domain/iso-time.ts';

/** Days, UTC, both included. */
export const daysQuery = z.strictObject({
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
});
