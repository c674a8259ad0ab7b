/** The log: JSON lines, one an event, ids and codes only. */
import type { EventEmitter } from 'node:events';
import { type DestinationStream, pino } from 'pino';
import type { AuditEvent, Record } from '../domain/event.ts';
import { Problem } from '../domain/problem.ts';
import { StoreUnavailable } from '../store/store.ts';
import { currentScope } from './scope.ts';

export interface Log {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
  problem(problem: Problem, where: { reference: string; method: string }): void;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export function createLog(level: LogLevel, destination?: DestinationStream): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ requestId: currentScope()?.id }),
      hooks: { streamWrite: escapeInvisible },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
  return {
    info: (message, fields) => logger.info({ ...fields }, message),
    warn: (message, fields) => logger.warn({ ...fields }, message),
    error: (message, fields) => logger.error({ ...fields }, message),
    problem(problem, where) {
      const line = { code: problem.code, status: problem.status, ...where };
      if (problem.status < 500)
        logger.info({ ...line, detail: shorten(problem.message) }, 'refused');
      else logger.error({ ...line, cause: causeOf(problem) }, 'failed');
    },
  };
}

/** Audit events as log lines. */
export function recordTo(log: Log): Record {
  return function record({ atMs, ...event }: AuditEvent) {
    const scope = currentScope();
    if (scope && event.attempt !== undefined) scope.attempt = event.attempt;
    log.info(event.event, { ...event });
  };
}

/** The library's own refusals, for whoever sets up a relying party: which client, which error, why. */
const refusals = [
  'authorization.error',
  'grant.error',
  'pushed_authorization_request.error',
  'userinfo.error',
  'introspection.error',
  'revocation.error',
  'end_session.error',
  'registration_create.error',
] as const;

interface RefusedContext {
  state: { reference?: string };
  oidc?: { client?: { clientId?: string } };
}

interface Refused extends Error {
  error?: string;
  error_description?: string;
  error_detail?: string;
}

/** Without these listeners the framework would print stack traces beside the log. */
export function logProvider(log: Log, provider: EventEmitter): void {
  for (const event of refusals) {
    provider.on(event, (ctx: RefusedContext, error: Refused) => {
      const { error: code, error_description: description, error_detail: detail } = error;
      const { reference } = ctx.state;
      const client = ctx.oidc?.client?.clientId;
      log.info(event, {
        ...{ client, error: code, reference },
        ...{ description: description && shorten(description), detail: detail && shorten(detail) },
      });
    });
  }
  const failed = (cause: unknown): void => {
    const code = cause instanceof StoreUnavailable ? 'unavailable' : 'internal';
    log.problem(new Problem(code, undefined, { cause }), { reference: '', method: '' });
  };
  provider.on('server_error', (_ctx: unknown, error: unknown) => failed(error));
  provider.on('error', failed);
}

/** The engine's own complaints name code; other messages can quote what somebody sent, and stay out. */
const quotesCodeOnly = [TypeError, RangeError, ReferenceError];

/** Where a defect is, never what it was about. */
function causeOf({ cause, stack }: Problem): object {
  const error = cause instanceof Error ? cause : undefined;
  const mayTell = quotesCodeOnly.some((kind) => error instanceof kind);
  return {
    name: error?.name ?? typeof cause,
    code: (error as { code?: unknown } | undefined)?.code,
    message: mayTell ? shorten(error?.message ?? '') : undefined,
    stack: (error?.stack ?? stack ?? '')
      .split('\n')
      .slice(1, 8)
      .map((line) => line.trim()),
  };
}

/**
 * JSON escapes what ends a line or colours a terminal of old, but neither the newer control characters nor those that
 * turn the direction of writing: with them a line would read as another.
 */
function escapeInvisible(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
