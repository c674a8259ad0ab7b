/** The limits of domain/limits.ts, counted in the store: what one process counts, all of them see. */
import type { Clock } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import { type LimitSettings, type Limited, bucketOf, limitsOf } from '../domain/limits.ts';
import type { DeviceClass } from '../domain/turn.ts';
import type { Budget, Charge, FullCap } from './budget.ts';
import { createCounters, keptSeconds } from './limit-counters.ts';
import type { Store, Window } from './store.ts';

/** Why somebody may not begin a selfie; `budget` says which cap is reached. */
export interface Admitted {
  refusedBy?: Limited | 'budget';
  full?: FullCap;
}

export type Limits = ReturnType<typeof createLimits>;

/** Who asks for a selfie: ids as they are, the address as its network block (web/place.ts). */
export interface Asker {
  device: string;
  deviceClass: DeviceClass;
  network: string | undefined;
  clientId: string;
  enrolmentId: string;
}

/** What it will cost, see budget.ts; nothing is charged where nobody watches the money. */
type Priced = Asker & { charge?: Charge };

type Place = Pick<Asker, 'device' | 'deviceClass' | 'network'>;

/** Who types an answer: for which person, on a device of which class. */
interface Typist {
  person: string;
  deviceClass: DeviceClass;
}

/** From so many declined selfies an hour on, a share of one half is told to the operator. */
const manyDeclined = 20;

export function createLimits(
  store: Store,
  {
    clock,
    alarm,
    settings,
    budget,
  }: {
    clock: Clock;
    alarm: RaiseAlarm;
    settings: LimitSettings;
    budget?: Pick<Budget, 'windowsOf' | 'fullCap'>;
  },
) {
  let warnedOfBudgetIn = -1;

  const { counterOf, windowsOf } = createCounters(store, limitsOf(settings), clock);

  function outerCounters({ device, network = 'unknown', deviceClass }: Place) {
    return [counterOf('device', device, deviceClass), counterOf('address', network, deviceClass)];
  }

  /**
   * Counts one selfie, or says which limit stands against it. Whoever is refused further out spends nothing further
   * in, and a full house does not eat up the share of an account.
   */
  async function admit(asker: Priced): Promise<Admitted> {
    const { deviceClass, enrolmentId, clientId, charge } = asker;
    const outer = await firstFull(outerCounters(asker));
    if (outer) return { refusedBy: outer };

    const account = counterOf('account', enrolmentId, deviceClass);
    if (await account.spend()) return { refusedBy: 'account' };

    // One counter for all of it: what a relying party may ask is a part of what all may, and all of it costs money.
    const all = counterOf('everybody', 'all', deviceClass);
    const full = await all.spend([
      ...windowsOf('client', deviceClass, `client ${clientId} `),
      ...(charge ? (budget?.windowsOf(charge) ?? []) : []),
    ]);
    if (!full) return {};
    await account.refund();
    const cap = budget?.fullCap(full);
    if (cap) return { refusedBy: 'budget', full: cap };
    if (full.name.startsWith('client ')) return { refusedBy: 'client' };
    warnOfBudget();
    return { refusedBy: 'everybody' };
  }

  async function firstFull(
    counters: readonly ReturnType<typeof counterOf>[],
  ): Promise<Limited | undefined> {
    const full = await Promise.all(counters.map(({ spend }) => spend()));
    return counters.find((_, at) => full[at] !== undefined)?.limited;
  }

  function warnOfBudget(): void {
    const hour = bucketOf('hour', clock());
    if (warnedOfBudgetIn === hour) return;
    warnedOfBudgetIn = hour;
    alarm('budget_spent');
  }

  /** A selfie was declined: who tries many faces from one place is slowed down, and the operator told of many. */
  async function declined(place: Place): Promise<void> {
    const bucket = bucketOf('hour', clock());
    const [inAll] = await Promise.all([
      store.increment(`declined:${bucket}`, { ttlSeconds: keptSeconds.hour }),
      ...outerCounters(place).map(({ decline }) => decline()),
    ]);
    if (inAll < manyDeclined || inAll % manyDeclined !== 0) return;
    const moreThanTwice: Window = { name: 'hour', bucket, by: 0, atMost: 2 * inAll + 1 };
    const isMinority = await store.spend('limit:everybody:all', [moreThanTwice], keptSeconds.month);
    if (!isMinority) alarm('many_declined');
  }

  /** Counts a sign-in that begins. @returns how many have, for this person and in this hour. */
  const started = (enrolmentId: string): Promise<number> =>
    store.increment(`starts:${bucketOf('hour', clock())} ${enrolmentId}`, {
      ttlSeconds: keptSeconds.hour,
    });

  /** May a code be sent to this account, on the word of somebody at this address? */
  async function sendMessage(to: {
    person: string;
    network: string | undefined;
  }): Promise<boolean> {
    const account = counterOf('message', `account ${to.person}`, 'unknown');
    const address = counterOf('message', `address ${to.network ?? 'unknown'}`, 'unknown');
    return (await firstFull([address, account])) === undefined;
  }

  /** May this person, who has not come yet, be written to once more on the word of an operator? */
  async function invite(accountId: string): Promise<boolean> {
    return (await counterOf('invitation', accountId, 'unknown').spend()) === undefined;
  }

  /** Counts a try, before anybody looks at it. */
  async function tryFactor(of: Typist): Promise<boolean> {
    return (await counterOf('factor', of.person, of.deviceClass).spend()) === undefined;
  }

  /** It was right: a sign-in that takes two answers is not to use up what is there for wrong ones. */
  async function factorWasRight(of: Typist): Promise<void> {
    await counterOf('factor', of.person, of.deviceClass).refund();
  }

  return { admit, declined, started, sendMessage, invite, tryFactor, factorWasRight };
}
