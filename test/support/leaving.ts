/**
 * The side of the provider on which people leave, without the rest of it: on a store of the test's own, before a
 * simulator. Didit's stored faces, which the simulator does not have, lie in a small server beside it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDiditApi } from '../../src/didit/api.ts';
import { DiditError } from '../../src/didit/port.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import type { DiditErasing } from '../../src/enrol/didit-deletions.ts';
import { createPeopleSide } from '../../src/enrol/side.ts';
import { openStore } from '../../src/store/open.ts';
import { createRecords } from '../../src/store/records.ts';
import { workflowId } from './testbed.ts';

export const simulatorKey = 'a-key-of-the-simulator-0123456789';
const day = 86_400;

export interface DiditPlaces {
  simulatorUrl: string;
  apiKey?: string;
  facesUrl: string;
}

export interface LeavingOptions extends DiditPlaces {
  storeUrl: string;
  encryptionKeys?: string[];
  clock?: () => number;
  settings?: { diditSessionsKeptSeconds: number; inactiveSeconds: number };
}

export type Leaving = Awaited<ReturnType<typeof openLeaving>>;

export async function openLeaving(options: LeavingOptions) {
  const { storeUrl, encryptionKeys = [], clock = Date.now } = options;
  const { store } = await openStore({ url: storeUrl, encryptionKeys, clock });
  const [events, alarms, failures]: [AuditEvent[], string[], unknown[]] = [[], [], []];
  const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
  const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');
  const tools = {
    ...{ clock, random, hash },
    record: (event: AuditEvent): void => void events.push(event),
    alarm: (reason: string): void => void alarms.push(reason),
    failed: (error: unknown): void => void failures.push(error),
  };
  const limits = { perHour: 1, perDay: 1, perMonth: 1, reservedForKnownDevices: 0 };
  const counted = { perClientPerHour: 1, perAddressPerHour: 1, perAccountPerHour: 1 };
  const records = createRecords(store, {
    ...tools,
    limits: { ...limits, ...counted },
    isUsual: () => true,
  });
  const people = createPeopleSide({
    ...{ ...records, ...tools, factors: records.factorRecords, didit: diditAt(options, clock) },
    settings: options.settings ?? {
      diditSessionsKeptSeconds: 30 * day,
      inactiveSeconds: 365 * day,
    },
  });
  return {
    ...{ ...records, ...tools, people, erasure: people.erasure, events, alarms, failures },
    async close(): Promise<void> {
      await people.stop();
      await store.close();
    },
  };
}

function diditAt(places: DiditPlaces, clock: () => number): DiditErasing {
  const { simulatorUrl, facesUrl, apiKey = simulatorKey } = places;
  const api = createDiditApi({
    ...{ apiBaseUrl: simulatorUrl, apiKey, hostedOrigins: [simulatorUrl] },
    ...{ fetch, clock, createsPerMinute: 1_000, hash: (text) => text },
    ...{ warn: () => undefined, alarm: () => undefined },
    media: { origins: [simulatorUrl], allowPlainHttp: true, fetch },
  });
  async function ask(url: string, init: RequestInit): Promise<void> {
    const { ok, status } = await fetch(url, init).catch((cause: unknown) => {
      throw new DiditError('unavailable', 'no answer', { cause });
    });
    if (!ok && status !== 404) throw new DiditError('unavailable', `it answered ${status}`);
  }
  return {
    deleteSession: (id) => api.deleteSession(id),
    deleteTemplates: (vendorData) => ask(`${facesUrl}/${vendorData}`, { method: 'DELETE' }),
    deleteUser: (vendorData) =>
      ask(`${simulatorUrl}/v3/users/delete/`, {
        method: 'POST',
        headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
        body: JSON.stringify({ vendor_data_list: [vendorData] }),
      }),
  };
}

/** Faces by the name that Didit knows their person by. */
export async function startFaces() {
  const kept = new Set<string>();
  let failures = 0;
  const server: Server = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    if (failures > 0) {
      failures -= 1;
      response.statusCode = 503;
    } else if (!kept.delete(name)) {
      response.statusCode = 404;
    }
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    kept,
    fail(times: number): void {
      failures = times;
    },
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}

/** Somebody of whom there is everything, here and at Didit. */
export async function settleIn(
  leaving: Leaving,
  { simulatorUrl }: Pick<DiditPlaces, 'simulatorUrl'>,
  name: string,
  sessions = 3,
) {
  const { accounts, portraits, factorRecords, history, tickets, traces, random } = leaving;
  const image = Buffer.concat([Buffer.from('ffd8ff', 'hex'), randomBytes(300)]);
  const ids = { id: random(16), vendorData: random(16) };
  const accountId = random(16);
  const create = async (): Promise<string> => {
    const response = await fetch(`${simulatorUrl}/v3/session/`, {
      method: 'POST',
      headers: { 'x-api-key': simulatorKey, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ workflow_id: workflowId, vendor_data: ids.vendorData },
        portrait_image: image.toString('base64'),
      }),
    });
    const { session_id: id } = (await response.json()) as { session_id: string };
    // Else Didit would hand it back instead of a new one.
    await fetch(`${simulatorUrl}/control/sessions/${id}/outcome`, {
      method: 'POST',
      body: JSON.stringify({ outcome: 'approve' }),
    });
    return id;
  };
  const own = await create();
  const selfies: string[] = [];
  for (let count = 0; count < sessions; count += 1) selfies.push(await create());
  for (const id of [own, ...selfies]) await traces.add(accountId, id);
  const sealed = await portraits.save(accountId, ids, image);
  const enrolment = { ...ids, ...sealed, diditSessionId: own, enrolledAtMs: leaving.clock() };
  const fields = {
    email: `${name}@example.com`,
    username: `${name}-name`,
    name: `${name} Example`,
  };
  await accounts.add({ id: accountId, ...fields, groups: ['staff'] }, enrolment);
  await accounts.change(accountId, (current) => ({
    ...current,
    consent: { version: '2026-01', atMs: leaving.clock() },
  }));
  const passkey = { id: random(16), publicKey: random(32), counter: 0, transports: [] };
  const totp = { secret: random(20), isConfirmed: true, lastStep: 0, createdAtMs: 1 };
  await factorRecords.change(accountId, (factors) => ({
    factors: {
      ...{ ...factors, totp },
      passkeys: [{ ...passkey, isSynced: false, name: `${name} laptop`, createdAtMs: 1 }],
      recoveryCodes: { hashes: [random(32)], createdAtMs: 1 },
    },
    result: undefined,
  }));
  const seen = { browser: `${name} browser`, system: undefined };
  const signIn = { event: 'signed_in', client: 'first', acr: 'x', authTime: 1, ...seen } as const;
  await history.add(accountId, { ...signIn, atMs: leaving.clock() });
  await tickets.issue('invitation', { accountId }, 3_600);
  const account = (await accounts.find(accountId))!;
  const sealedPicture = (await leaving.store.get(`portrait:${ids.id}`))?.value ?? '';
  return {
    ...{ account, enrolment, sessions: [own, ...selfies] },
    /** It stands nowhere in the clear at any time. */
    picture: image.toString('base64').slice(100, 160),
    /** What must not be found anywhere once they have left. */
    canaries: [
      ...[fields.email, fields.username, fields.name, ids.id, ids.vendorData],
      ...[sealed.portraitKey, sealed.portraitHash],
      ...[
        sealedPicture.slice(40, 80),
        own,
        ...selfies,
        passkey.id,
        passkey.publicKey,
        totp.secret,
        seen.browser,
      ],
    ],
  };
}
