/** All that the simulator remembers, in memory and bounded: sessions, people, webhook destinations, the time. */
import type { DiditSessionStatus } from '../didit/wire.ts';
import type { DiditEnvironment, SimulatedWorkflow, SimulatorSettings } from './options.ts';
import type { Outcome } from './outcomes.ts';
import type { Person } from './person.ts';

export interface DiditSession {
  id: string;
  number: number;
  /** The secret in the hosted address. */
  token: string;
  environment: DiditEnvironment;
  workflow: SimulatedWorkflow;
  status: DiditSessionStatus;
  vendorData: string | null;
  metadata: unknown;
  callback: string | null;
  callbackMethod: 'initiator' | 'completer' | 'both';
  language: string | null;
  hasPortrait: boolean;
  expectedIpAddress: string | null;
  scenario: string | null;
  /** Whose document is shown, and so whose face it is. */
  person: Person;
  createdAtMs: number;
  expiresAtMs: number;
  /** The browsers, by simulator cookie, that opened the page first and that finished. */
  initiatorId: string | null;
  completerId: string | null;
  outcome: Outcome | null;
  finishedBy: Sighting | null;
  reviews: Review[];
  resubmit: unknown;
}

/** The browser that stood before the hosted page when the check ended. */
export interface Sighting {
  ipAddress: string;
  userAgent: string;
  deviceFingerprint: string;
}

export interface Review {
  user: string;
  new_status: string;
  comment: string;
  created_at: string;
}

export interface User {
  id: string;
  vendorData: string;
  status: 'ACTIVE' | 'FLAGGED' | 'BLOCKED';
  displayName: string | null;
  createdAtMs: number;
}

/** A face that was kept when its session was deleted. */
export interface Template {
  id: string;
  vendorData: string;
  retainedAtMs: number;
  purgedAtMs: number | null;
}

export interface Destination {
  id: string;
  label: string;
  url: string;
  enabled: boolean;
  webhookVersion: string;
  subscribedEvents: readonly string[];
  secret: string;
  deliveries: Delivery[];
}

export interface Delivery {
  uuid: string;
  event_id: string;
  attempt: number;
  created_at: string;
  request_header: Record<string, string>;
  request_body: string;
  response_status: number | null;
  error: string | null;
}

export type State = ReturnType<typeof createState>;

const sessionsMax = 10_000;
const usersMax = 10_000;
const templatesMax = 10_000;
const redeemedMax = 10_000;
const destinationsMax = 50;
const openStatuses: readonly string[] = [
  'Not Started',
  'In Progress',
  'Awaiting User',
  'Resubmitted',
];

/** Not yet decided: the hosted page still works and create-session hands the session out again. */
export function isOpen({ status }: DiditSession): boolean {
  return openStatuses.includes(status);
}

export function createState({ clock, random }: SimulatorSettings) {
  const sessions = new Map<string, DiditSession>();
  const destinations = new Map<string, Destination>();
  const users = new Map<string, User>();
  const templates = new Map<string, Template>();
  const redeemed = new Map<string, true>();
  let offsetMs = 0;
  let lastNumber = 0;

  function newId(): string {
    const hex = random(16).toString('hex');
    // Version 4 and variant 8, so that strict UUID parsers take it.
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  const now = () => clock() + offsetMs;

  function userOf(vendorData: string): User {
    let user = users.get(vendorData);
    if (user === undefined) {
      const made = { id: newId(), vendorData, status: 'ACTIVE', displayName: null } as const;
      user = { ...made, createdAtMs: now() };
      keep(users, vendorData, user, usersMax);
    }
    return user;
  }

  return {
    sessions,
    users,
    templates,
    destinations,
    /** Signs the links to pictures. */
    mediaKey: random(32),
    /** Signs what one application gives to another. */
    shareKey: random(32),
    now,
    newId,
    nextNumber: () => ++lastNumber,
    /** Hosted-page tokens have 12 characters, as Didit's. */
    newToken: () => random(9).toString('base64url'),
    newSecret: () => random(32).toString('base64url'),
    setOffset(ms: number) {
      offsetMs = ms;
    },
    advance(ms: number) {
      offsetMs += ms;
    },
    addSession: (session: DiditSession) => keep(sessions, session.id, session, sessionsMax),
    sessionByToken: (token: string) => [...sessions.values()].find((one) => one.token === token),
    addDestination(details: Omit<Destination, 'id' | 'secret' | 'deliveries'>, secret: string) {
      const destination: Destination = { ...details, id: newId(), secret, deliveries: [] };
      keep(destinations, destination.id, destination, destinationsMax);
      return destination;
    },
    addTemplate(vendorData: string): Template {
      const template = { id: newId(), vendorData, retainedAtMs: now(), purgedAtMs: null };
      keep(templates, template.id, template, templatesMax);
      return template;
    },
    /** @returns whether this token had not been redeemed before. */
    redeem(tokenId: string): boolean {
      if (redeemed.has(tokenId)) return false;
      keep(redeemed, tokenId, true, redeemedMax);
      return true;
    },
    /** Makes the person known on first mention. */
    userOf,
  };
}

/** A simulator may run for weeks in a test environment; the oldest entry makes room. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.set(key, value);
  if (map.size <= max) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
