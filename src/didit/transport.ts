/**
 * One call to Didit: a time limit, a size limit, no redirects, and a breaker for each operation, so that an
 * outage costs the first few people a moment and everybody after them none.
 */
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  circuitBreaker,
  handleWhen,
  retry,
  wrap,
} from 'cockatiel';
import type { Clock } from '../domain/environment.ts';
import type * as outage from '../domain/outage.ts';
import { readAtMost } from './body.ts';
import { DiditError } from './port.ts';
import { readErrorBody } from './wire.ts';

export interface DiditCall {
  /**
   * `people`: deleting users and templates. `settings`: what Didit's console manages; read by `doctor`, never
   * during a login.
   */
  operation: 'create' | 'decision' | 'delete' | 'import' | 'people' | 'settings';
  method: 'GET' | 'POST' | 'DELETE';
  /** Below the base address, with the trailing slash: without it Didit redirects and drops the key. */
  path: string;
  body?: object;
  timeoutMs: number;
}

export interface DiditAnswer {
  status: number;
  /** The parsed JSON, or undefined where there is none. */
  body: unknown;
  /** Didit's clock, in whole seconds; undefined where the answer does not say. */
  dateMs: number | undefined;
}

const maximumAnswerBytes = 1024 * 1024;
const failuresUntilOpen = 5;
const openForMs = 10_000;
const defaultPauseSeconds = 5;
const maximumPauseSeconds = 60;

/** A failure by its name, for metrics and the log. */
export const failureOf = (error: unknown): string =>
  error instanceof DiditError ? error.failure : 'failed';

/** Sees each request. What it hands to the work is the id that goes along. */
export type WatchCall = (
  operation: DiditCall['operation'],
  work: (requestId?: string) => Promise<DiditAnswer>,
) => Promise<DiditAnswer>;

export type Transport = (call: DiditCall) => Promise<DiditAnswer>;

export interface TransportOptions {
  apiBaseUrl: string;
  apiKey: string;
  fetch: typeof fetch;
  clock: Clock;
  /** While it says so, nothing is called. */
  isOff?: () => boolean;
  /** Told when the breaker of an operation changes. */
  heard?: (operation: DiditCall['operation'], state: outage.CircuitState) => void;
  /** Commands do without: whoever runs one sees what comes of it. */
  watch?: WatchCall | undefined;
}

export function createTransport(options: TransportOptions): Transport {
  const watch: WatchCall = options.watch ?? ((_operation, work) => work());
  const breaker = (operation: DiditCall['operation']) => createBreaker(operation, options.heard);
  const again = retry(transient, {
    maxAttempts: 1,
    backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 300 }),
  });
  const policies = {
    // A session that was created and not heard of would be handed back by the next call, and a token that was
    // redeemed is refused by it: these are not repeated.
    create: breaker('create'),
    import: breaker('import'),
    decision: wrap(again, breaker('decision')),
    delete: wrap(again, breaker('delete')),
    people: wrap(again, breaker('people')),
    settings: wrap(again, breaker('settings')),
  };
  const quietUntilMs: Partial<Record<DiditCall['operation'], number>> = {};

  async function sendUnlessQuiet(call: DiditCall): Promise<DiditAnswer> {
    if (options.clock() < (quietUntilMs[call.operation] ?? 0)) throw new RateLimited(0);
    try {
      return await watch(call.operation, (id) => sendOnce(call, id, options));
    } catch (error) {
      if (error instanceof RateLimited && error.retryAfterMs > 0) {
        quietUntilMs[call.operation] = options.clock() + error.retryAfterMs;
      }
      throw error;
    }
  }

  return async function send(call) {
    if (options.isOff?.()) throw new DiditError('unavailable', 'Didit is switched off');
    try {
      return await policies[call.operation].execute(() => sendUnlessQuiet(call));
    } catch (cause) {
      if (!(cause instanceof BrokenCircuitError)) throw cause;
      throw new DiditError('unavailable', 'Didit has failed several times in a row', { cause });
    }
  };
}

/** Didit asked for a pause; until it is over, that operation is not called. */
class RateLimited extends DiditError {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('rate_limited', 'Didit limits the rate');
    this.retryAfterMs = retryAfterMs;
  }
}

const transient = handleWhen(
  (error) => error instanceof DiditError && error.failure === 'unavailable',
);

const stateNames: Readonly<Record<CircuitState, outage.CircuitState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

function createBreaker(operation: DiditCall['operation'], heard: TransportOptions['heard']) {
  const breaker = circuitBreaker(transient, {
    halfOpenAfter: openForMs,
    breaker: new ConsecutiveBreaker(failuresUntilOpen),
  });
  if (heard) breaker.onStateChange((state) => heard(operation, stateNames[state]));
  return breaker;
}

async function sendOnce(
  { method, path, body, timeoutMs }: DiditCall,
  requestId: string | undefined,
  {
    apiBaseUrl,
    apiKey,
    fetch,
  }: { apiBaseUrl: string; apiKey: string; fetch: typeof globalThis.fetch },
): Promise<DiditAnswer> {
  let status: number;
  let text: string;
  let retryAfterMs: number;
  let dateMs: number;
  try {
    const response = await fetch(new URL(path, apiBaseUrl), {
      method,
      headers: {
        'x-api-key': apiKey,
        accept: 'application/json',
        ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    status = response.status;
    retryAfterMs = pauseOf(response.headers.get('retry-after'));
    dateMs = Date.parse(response.headers.get('date') ?? '');
    text = (await readAtMost(response, maximumAnswerBytes)).toString('utf8');
  } catch (cause) {
    if (cause instanceof DiditError) throw cause;
    throw new DiditError('unavailable', 'Didit did not answer', { cause });
  }
  if (status === 429) throw new RateLimited(retryAfterMs);
  if (status >= 500) throw new DiditError('unavailable', `Didit answered ${status}`);
  if (status === 402 || isAboutCredit(status, text)) {
    throw new DiditError('out_of_credit', `Didit answered ${status}: no credit is left`);
  }
  if (status === 401 || status === 403) throw new DiditError('refused', 'the key is not accepted');
  return { status, body: parse(text), dateMs: Number.isNaN(dateMs) ? undefined : dateMs };
}

/** Didit says so with 400 or 403 and a sentence. */
function isAboutCredit(status: number, text: string): boolean {
  if (status !== 400 && status !== 403) return false;
  const [message] = readErrorBody(parseOrNothing(text)).filter(({ field }) => field === 'detail');
  return /\bcredits?\b/i.test(message?.message ?? '');
}

/** Whole seconds (RFC 9110 also allows a date; Didit sends seconds), bounded: an outage should be our choice. */
function pauseOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter ?? defaultPauseSeconds);
  const sensible = Number.isFinite(seconds) && seconds > 0 ? seconds : defaultPauseSeconds;
  return Math.min(sensible, maximumPauseSeconds) * 1000;
}

function parseOrNothing(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DiditError('unavailable', 'the answer is not JSON', { cause });
  }
}
