/**
 * Whose work this is: one id a request, in every line that is logged for it and wherever its work goes on. Background
 * work that calls Didit gets one of its own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

export interface Scope {
  /** 32 hexadecimal digits, as a trace has them. Stands for nothing. */
  id: string;
  /** The attempt that something happened to meanwhile. */
  attempt?: string;
  /** Of each part, summed up: what went on at the same time counts for both. */
  spentMs: { store: number; didit: number };
}

const scopes = new AsyncLocalStorage<Scope>();

export const currentScope = (): Scope | undefined => scopes.getStore();

/** @param traceparent of a proxy that is believed (web/edge.ts drops all others). */
export function inScope<T>(work: () => T, traceparent?: string): T {
  const id = traceIdOf(traceparent) ?? newScopeId();
  return scopes.run({ id, spentMs: { store: 0, didit: 0 } }, work);
}

export const newScopeId = (): string => randomBytes(16).toString('hex');

const form = /^(?<version>[0-9a-f]{2})-(?<trace>[0-9a-f]{32})-(?<span>[0-9a-f]{16})-[0-9a-f]{2}$/;

/** W3C Trace Context. What does not keep to its form is not there. */
export function traceIdOf(traceparent = ''): string | undefined {
  const { version, trace = '', span = '' } = form.exec(traceparent)?.groups ?? {};
  const isValid = version === '00' && /[^0]/.test(trace) && /[^0]/.test(span);
  return isValid ? trace : undefined;
}
