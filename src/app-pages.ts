/** Pages for anybody, which take no sign-in and set no cookie. */
import type { Middleware } from 'koa';
import type { Config } from './config/schema.ts';
import type { Clock } from './domain/environment.ts';
import { createPolicyRoute } from './web/policy.ts';
import type { ShowPage } from './web/respond.ts';
import { createSecurityTxt } from './web/security-txt.ts';

export function openPages(
  { issuer, operator, people }: Config,
  show: ShowPage,
  clock: Clock,
): Middleware[] {
  const contact = operator.securityContact ?? operator.supportAddress;
  return [createPolicyRoute(show, people), createSecurityTxt({ issuer, contact }, clock)];
}
