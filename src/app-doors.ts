/**
 * The composition root's piece for the doors: what listens, and stays, and what answers, which is made of one
 * configuration and exchanged as a whole for the next one. Nobody at the door notices: a request that is being answered
 * is finished by whoever began it, and the next one on the same connection gets the new one.
 */
import type { RequestListener } from 'node:http';
import type { JWK } from 'jose';
import { markOf } from './app-keys.ts';
import { consoleOrigin } from './config/addresses.ts';
import type { Config } from './config/schema.ts';
import { inOrder } from './domain/dated.ts';
import type { Clock, Random } from './domain/environment.ts';
import type { Clients } from './oidc/clients.ts';
import type { Perform } from './ops/acts/perform.ts';
import { createManagementListener } from './ops/health.ts';
import { createReadiness } from './ops/readiness.ts';
import { type Listeners, createListeners } from './ops/listeners.ts';
import { keysInUse } from './oidc/keys.ts';
import type { OpenedStore } from './store/open.ts';
import type { Edge } from './web/edge.ts';
import type { Metrics } from './web/metrics.ts';
import type { Log } from './web/telemetry.ts';

/** What runs besides answering. They end in their order: each may still need those after it. */
export interface Side {
  start?(): void;
  stop(): Promise<unknown>;
}

/** What answers people and programs, made of one configuration. */
export interface Answers {
  admit: Edge;
  answer: RequestListener;
  /** What the management listener answers besides health and metrics. */
  operate: RequestListener;
  /** What operators do, in process. */
  perform: Perform;
  opened: OpenedStore;
  sides: readonly Side[];
  /** Tells waiting pages to look again: they meet whoever answers next. */
  sendAway(): void;
}

/** What may change while the process runs. */
export interface Configured {
  config: Config;
  jwks: { keys: JWK[] };
  clients: Clients;
}

export interface Doors extends Listeners {
  /**
   * Answers from now on by what `load` finds. One after the other, however often it is called.
   * @throws when that cannot be used; everything stays as it was then, and readiness tells.
   */
  reload(load: () => Promise<Configured>): Promise<void>;
  /** What of the keys in force depends on the time: another text than of before when one has begun or ended since. */
  keyMark(atMs: number): Promise<string>;
  /** What operators do, in process. */
  readonly perform: Perform;
  /** For counting what is sent to Redis; undefined with the embedded store. */
  readonly redis: OpenedStore['redis'];
}

/** Longer than a request may take, and a waiting page to come back. */
const finishWithinMs = 45_000;
const sendAwayEveryMs = 500;

export function openDoors(
  options: Configured & { log: Log; clock: Clock; random: Random; metrics: Metrics },
  first: Answers,
  build: (now: Configured) => Promise<Answers>,
): Doors {
  const { config, log, clock, random, metrics } = options;
  const { host, port, management } = config;
  let configured: Configured = options;
  let current = shift(first, log);
  let isServing = true;
  let reloadProblem: string | undefined;
  const leaving = new Set<Promise<void>>();
  let reloading: Promise<unknown> = Promise.resolve();

  function exchange(next: Answers): void {
    const before = current;
    current = shift(next, log);
    current.start();
    const left = before.leave().finally(() => leaving.delete(left));
    leaving.add(left);
  }

  async function reloadNow(load: () => Promise<Configured>): Promise<void> {
    try {
      const now = await load();
      for (const setting of takesRestart(config, now.config)) {
        log.warn('a setting was changed that takes a restart', { setting });
      }
      const next = await build(now);
      if (isServing) {
        exchange(next);
        configured = now;
      } else await shift(next, log).leave();
      reloadProblem = undefined;
      metrics.reloadFailed(false);
    } catch (error) {
      reloadProblem = error instanceof Error ? error.message : String(error);
      metrics.reloadFailed(true);
      throw error;
    }
  }

  const listeners = createListeners({
    public: { host, port, admit: (req, res) => current.answers.admit(req, res) },
    management,
    publicListener: (req, res) => current.answer(req, res),
    managementListener: createManagementListener({
      whyNotReady: createReadiness({
        ...{ random, isServing: () => isServing, store: () => current.answers.opened.store },
        kept: () => (configured.config.store.url.startsWith('sqlite:') ? 'file' : 'redis'),
        whyKeysFail: () => whyKeysFail(configured, clock()),
      }),
      reloadProblem: () => reloadProblem,
      consoleHost: URL.parse(consoleOrigin(management) ?? '')?.hostname,
      metrics: () => metrics.text(),
      rest: (req, res) => current.operate(req, res),
    }),
    opened: () => current.start(),
    closing() {
      isServing = false;
      current.answers.sendAway();
    },
    async closed() {
      await Promise.all([...leaving, current.leave()]);
    },
  });

  return {
    ...listeners,
    reload(load) {
      const mine = reloading.then(() => reloadNow(load));
      reloading = mine.catch(() => undefined);
      return mine;
    },
    keyMark: (atMs) => markOf(configured, current.answers.opened.store, atMs),
    get perform() {
      return current.answers.perform;
    },
    get redis() {
      return current.answers.opened.redis;
    },
  };
}

/** From the moment that somebody answers until what they began is finished. */
function shift(answers: Answers, log: Log) {
  const { sides } = answers;
  let running = 0;
  let finished = (): void => undefined;

  async function inFlight(): Promise<void> {
    if (running === 0) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    finished = () => resolve(undefined);
    const cut = setTimeout(finished, finishWithinMs);
    // One that was about to wait when all were sent away waits now.
    const again = setInterval(() => answers.sendAway(), sendAwayEveryMs);
    await promise;
    clearTimeout(cut);
    clearInterval(again);
  }

  const counted =
    (listener: RequestListener): RequestListener =>
    (req, res) => {
      running += 1;
      res.once('close', () => {
        running -= 1;
        if (running === 0) finished();
      });
      listener(req, res);
    };

  return {
    answers,
    answer: counted(answers.answer),
    operate: counted(answers.operate),
    start(): void {
      for (const side of sides) side.start?.();
    },
    async leave(): Promise<void> {
      answers.sendAway();
      await inFlight();
      for (const side of sides) {
        // One that cannot end must not keep the others from it.
        await side.stop().catch((error: unknown) => {
          log.error('side work did not end', { error: String(error) });
        });
      }
    },
  };
}

/** The listeners and the log are there once. */
function takesRestart(before: Config, now: Config): string[] {
  const held = ({ host, port, management, log }: Config): [string, string | number][] => [
    ['host', host],
    ['port', port],
    ['management.host', management.host],
    ['management.port', management.port],
    ['log.level', log.level],
  ];
  const values = new Map(held(before));
  return held(now).flatMap(([name, value]) => (values.get(name) === value ? [] : [name]));
}

/** What a sign-in takes and what can end while the process runs. */
async function whyKeysFail(
  { config, jwks }: Configured,
  nowMs: number,
): Promise<string | undefined> {
  if (inOrder(config.cookies.keys, nowMs).length === 0) return 'no key is left that signs cookies';
  return keysInUse(jwks, nowMs).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}
