/**
 * How much may be asked: one table, and nothing that does anything.
 *
 * Every selfie costs the operator money and the person attention. Strangers (devices that never completed a login
 * to this account) share what is left after a part was set aside for known devices, so that no flood of them can
 * keep anybody out who was here before.
 */
export interface LimitSettings {
  perHour: number;
  perDay: number;
  perMonth: number;
  reservedForKnownDevices: number;
  perClientPerHour: number;
  perAddressPerHour: number;
  perAccountPerHour: number;
  pricePerSelfie?: number | undefined;
  spendPerMonth?: number | undefined;
}

/** Whose counter it is. `message` and `factor` are for the other ways in, `invitation` for operators; the rest is for selfies. */
export type Limited =
  'device' | 'address' | 'account' | 'client' | 'everybody' | 'message' | 'factor' | 'invitation';

export type Span = 'quarter' | 'hour' | 'day' | 'month';

/** At most so many in a calendar hour, day, month (UTC) or quarter of an hour. */
export type Ceiling = Readonly<Partial<Record<Span, number>>>;

export interface Limit {
  /** `each`: known devices and strangers count apart. `both`: they share one counter, with two ceilings. */
  counts: 'each' | 'both';
  unknown: Ceiling;
  known: Ceiling;
  /** So many declined selfies an hour, and strangers are refused: somebody tries faces. */
  declined?: number;
}

export function limitsOf(settings: LimitSettings): Readonly<Record<Limited, Limit>> {
  const { perAddressPerHour, perAccountPerHour, perClientPerHour, perHour, perDay } = settings;
  const left = (all: number): number =>
    Math.floor((all * (100 - settings.reservedForKnownDevices)) / 100);
  const perMonth = affordable(settings);
  // prettier-ignore
  return {
    device:    { counts: 'each', unknown: { hour: 20 },                          known: { hour: 20 }, declined: 4 },
    address:   { counts: 'each', unknown: perHourAndDay(perAddressPerHour, 7),   known: { hour: 20 * perAddressPerHour },
                 declined: Math.max(4, Math.floor(perAddressPerHour / 7)) },
    account:   { counts: 'each', unknown: perHourAndDay(perAccountPerHour, 2),   known: perHourAndDay(2 * perAccountPerHour, 3) },
    client:    { counts: 'both', unknown: { hour: left(perClientPerHour) },      known: { hour: perClientPerHour } },
    everybody: { counts: 'both', unknown: { hour: left(perHour), day: left(perDay), month: left(perMonth) },
                                 known: { hour: perHour, day: perDay, month: perMonth } },
    message:   { counts: 'both', unknown: { quarter: 3 },                        known: { quarter: 3 } },
    factor:    { counts: 'each', unknown: { quarter: 5 },                        known: { quarter: 5 } },
    invitation:{ counts: 'both', unknown: { day: 3 },                            known: { day: 3 } },
  };
}

function perHourAndDay(hour: number, hoursWorth: number): Ceiling {
  return { hour, day: hour * hoursWorth };
}

/** Selfies in a month: what is allowed, or what the money is enough for. */
function affordable({ perMonth, pricePerSelfie, spendPerMonth }: LimitSettings): number {
  if (pricePerSelfie === undefined || spendPerMonth === undefined) return perMonth;
  return Math.min(perMonth, Math.floor(spendPerMonth / pricePerSelfie));
}

/** The number of the calendar hour, day, month or quarter of an hour in which `nowMs` lies, in UTC. */
export function bucketOf(span: Span, nowMs: number): number {
  switch (span) {
    case 'quarter':
      return Math.floor(nowMs / 900_000);
    case 'hour':
      return Math.floor(nowMs / 3_600_000);
    case 'day':
      return Math.floor(nowMs / 86_400_000);
    case 'month': {
      const date = new Date(nowMs);
      return date.getUTCFullYear() * 12 + date.getUTCMonth();
    }
  }
}
