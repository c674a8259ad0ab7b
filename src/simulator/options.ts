/** What a simulator is made with, and the values that suit a developer's machine. */
import { randomBytes } from 'node:crypto';

export type DiditEnvironment = 'live' | 'sandbox';

/** As a console would show it. The id is the stable one that create-session takes. */
export interface SimulatedWorkflow {
  id: string;
  label: string;
  version: number;
  features: readonly SimulatedFeature[];
  livenessMethod: 'PASSIVE' | 'FLASHING' | 'ACTIVE_3D';
  /** How long a session of this workflow may be opened and finished. */
  ttlSeconds: number;
}

export type SimulatedFeature = 'LIVENESS' | 'FACE_MATCH' | 'IP_ANALYSIS' | 'ID_VERIFICATION';

export interface SimulatorLogger {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

export interface SimulatorOptions {
  /** A key decides the environment of all that it touches, as at Didit. */
  apiKeys: { live?: readonly string[]; sandbox?: readonly string[] };
  webhookSecret: string;
  /** Where the first webhook destination points; more can be added with Didit's own call. */
  webhookUrl?: string;
  applicationId?: string;
  /** The origin in hosted addresses, when it is not the one that the simulator listens on. */
  hostedOrigin?: string;
  /** The origin in links to pictures, when it is not the one by which the API was called: behind TLS, for instance. */
  mediaOrigin?: string;
  workflows?: readonly SimulatedWorkflow[];
  webhookDelayMs?: number;
  /** The pauses before the second and third attempt. Didit's own are a minute and four. */
  webhookRetryDelaysMs?: readonly number[];
  webhookTimeoutMs?: number;
  /** Answers 400 to create-session's undocumented `workflow_type` instead of ignoring it. */
  rejectsWorkflowType?: boolean;
  clock?: () => number;
  random?: (byteLength: number) => Buffer;
  fetch?: typeof globalThis.fetch;
  logger?: SimulatorLogger;
}

export type SimulatorSettings = Required<Omit<SimulatorOptions, LeftOpen>> &
  Pick<SimulatorOptions, LeftOpen>;

type LeftOpen = 'webhookUrl' | 'hostedOrigin' | 'mediaOrigin';

/** The three workflows that a login with a selfie needs, with ids that can stand in a configuration file. */
export const defaultWorkflows: readonly SimulatedWorkflow[] = [
  {
    id: '0b6f2f0a-5f0d-4a57-8f65-000000000001',
    label: 'Selfie login (passive)',
    version: 1,
    features: ['LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'],
    livenessMethod: 'PASSIVE',
    ttlSeconds: 3600,
  },
  {
    id: '0b6f2f0a-5f0d-4a57-8f65-000000000002',
    label: 'Selfie login (active)',
    version: 1,
    features: ['LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'],
    livenessMethod: 'ACTIVE_3D',
    ttlSeconds: 3600,
  },
  {
    id: '0b6f2f0a-5f0d-4a57-8f65-000000000003',
    label: 'Enrolment (document and selfie)',
    version: 1,
    features: ['ID_VERIFICATION', 'LIVENESS', 'FACE_MATCH', 'IP_ANALYSIS'],
    livenessMethod: 'PASSIVE',
    ttlSeconds: 604_800,
  },
];

const silent: SimulatorLogger = { info: () => undefined, warn: () => undefined };

export function settingsOf(options: SimulatorOptions): SimulatorSettings {
  return {
    applicationId: '0b6f2f0a-5f0d-4a57-8f65-0000000000aa',
    workflows: defaultWorkflows,
    webhookDelayMs: 150,
    webhookRetryDelaysMs: [60_000, 240_000],
    webhookTimeoutMs: 5_000,
    rejectsWorkflowType: false,
    clock: Date.now,
    random: randomBytes,
    fetch: globalThis.fetch,
    logger: silent,
    ...options,
  };
}
