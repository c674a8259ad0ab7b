/**
 * What a login needs of enrolment (enrol/ has it): the same interaction, the same dispatcher, other steps. A login
 * knows when to hand over and nothing of what happens then.
 */
import type { RouterContext } from '@koa/router';
import type { Interaction } from 'oidc-provider';
import type { Attempt, Identity } from '../domain/attempt.ts';

export type Step<Tools> = (
  ctx: RouterContext,
  tools: Tools,
  form: ReadonlyMap<string, string>,
) => Promise<void>;

type EnrolStep = (ctx: RouterContext, form: ReadonlyMap<string, string>) => Promise<void>;

/** Whom this browser was let in for, and to what. */
export interface Admission {
  kind: 'enrol' | 're_enrol' | 'recovery';
  identity: Identity;
}

export interface Enrolment {
  /** May anybody come in? Then the first page says so. */
  isOpen: boolean;
  /** By name, below `/interaction/:uid/`. */
  steps: Readonly<Record<string, EnrolStep>>;
  /** The step that is next for an attempt that enrols somebody, before their face is taken. */
  show(ctx: RouterContext, attempt: Attempt): Promise<void>;
  /** Called before a face is taken. @throws Problem when something is missing for which the person was asked. */
  require(attempt: Attempt): Promise<void>;
  /** The check is approved and the browser is back: the face becomes the account's. May be called again. */
  complete(attempt: Attempt): Promise<'kept' | 'refused' | 'under_way'>;
  /** By a link that was mailed, or from the person's own page; used up by this call. */
  admit(ctx: RouterContext, interaction: Interaction): Promise<Admission | undefined>;
}
