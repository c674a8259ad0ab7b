/** Operators beside a running provider: their commands, each a process of its own, and what those are made of. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditEvent } from '../../src/domain/event.ts';
import type { Message } from '../../src/domain/message.ts';
import { createRecords } from '../../src/store/records.ts';
import type { Store } from '../../src/store/store.ts';
import { kycWorkflowId } from './enrol.ts';
import { type Testbed, webhookSecret, workflowId } from './testbed.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

export function hireOperators(bed: Testbed, storeUrl: string) {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-operators-'));
  const file = join(directory, 'config.yaml');

  function configure(
    changes: { registration?: string; kyc?: string | undefined; twoPeople?: boolean } = {},
  ): void {
    const { registration = 'open', twoPeople = false } = changes;
    const kyc = 'kyc' in changes ? changes.kyc : kycWorkflowId;
    const config = {
      ...{ mode: 'development', issuer: bed.issuer, registration },
      reviews: { twoPeople },
      store: { url: storeUrl, encryptionKeys: [bed.encryptionKey] },
      didit: {
        ...{ apiKey: bed.apiKey, webhookSecrets: [webhookSecret], environment: 'sandbox' },
        consoleUrl: 'https://console.example/app/{session}',
        ...{ apiBaseUrl: bed.simulatorUrl, hostedOrigins: [bed.simulatorUrl] },
        workflows: { passive: workflowId, ...(kyc === undefined ? {} : { kyc }) },
      },
    };
    writeFileSync(file, JSON.stringify(config));
  }
  configure();

  function command(...args: string[]): Promise<Outcome> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [mainFile, ...args],
        { env: { CONFIG_FILE: file } },
        (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
      );
    });
  }

  const accounts = (...args: string[]): Promise<Outcome> => command('accounts', ...args);

  return {
    ...{ configure, accounts, command },
    audit: (...args: string[]): Promise<Outcome> => command('audit', ...args),
    reviews: (...args: string[]): Promise<Outcome> => command('reviews', ...args),
    /** Below `accounts`. @returns what was printed as JSON. @throws with what was said when it was refused. */
    async json(...args: string[]): Promise<Record<string, string>> {
      const { status, stdout, stderr } = await accounts(...args, '--json');
      if (status !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as Record<string, string>;
    },
    dismiss: () => rmSync(directory, { recursive: true }),
  };
}

/** The records of the provider, by a connection of the test's own. */
export async function openRecords(bed: Testbed, clock = Date.now) {
  const mails: Message[] = [];
  return {
    ...{ ...recordsOn(await bed.openStore(), clock), issuer: bed.issuer, mails },
    mail: (_to: unknown, message: Message) => Promise.resolve(void mails.push(message)),
  };
}

/** With what they are made of. */
export function recordsOn(store: Store, clock = Date.now) {
  const events: AuditEvent[] = [];
  const tools = {
    ...{ clock, random: (bytes: number) => randomBytes(bytes).toString('base64url') },
    hash: (text: string) => createHash('sha256').update(text).digest('base64url'),
    record: (event: AuditEvent) => void events.push(event),
    alarm: () => undefined,
  };
  const limits = {
    ...{ perHour: 1, perDay: 1, perMonth: 1, reservedForKnownDevices: 0 },
    ...{ perClientPerHour: 1, perAddressPerHour: 1, perAccountPerHour: 1 },
  };
  const records = createRecords(store, { ...tools, limits, isUsual: () => true });
  return { ...records, ...tools, events };
}
