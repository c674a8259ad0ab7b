/** The group of the schema that describes the Didit application. */
import { z } from 'zod';
import * as kind from './kinds.ts';

const { setting, oneOrMoreOf, oneOf } = kind;

export const didit = z
  .strictObject({
    apiKey: setting(kind.secret, "The application's API key, from Didit's console.", {
      env: 'DIDIT_API_KEY',
      secret: true,
      example: 'the-key-from-the-console',
    }),
    apiBaseUrl: setting(kind.origin, "Where Didit's API answers.", {
      env: 'DIDIT_API_BASE_URL',
    }).default('https://verification.didit.me'),
    consoleUrl: setting(
      kind.webAddress,
      "Where operators look at a check in Didit's console. If there is `{session}` in it, the " +
        "id of the check takes its place; Didit documents no such address, so copy your console's.",
      { env: 'DIDIT_CONSOLE_URL' },
    ).default('https://business.didit.me/'),
    webhookSecrets: setting(
      oneOrMoreOf(kind.webhookSecret),
      'Secrets that sign the webhooks, newest first. To rotate, put the new one in front ' +
        'and give the old one an end: `OLD-SECRET until 2026-12-01T00:00:00Z`.',
      {
        env: 'DIDIT_WEBHOOK_SECRETS',
        secret: true,
        example: ['the-secret-of-the-webhook-destination'],
      },
    ),
    acceptPrefixedSignature: setting(
      kind.flag,
      'Whether a webhook is also genuine when its X-Signature-V2 was made over ' +
        '`timestamp:body`, as one page of Didit describes it.',
      { env: 'DIDIT_ACCEPT_PREFIXED_SIGNATURE' },
    ).default(false),
    webhookAddresses: setting(
      kind.addresses,
      'The addresses or CIDR ranges from which Didit rings. Besides the signature, never ' +
        'instead of it; none means any.',
      { env: 'DIDIT_WEBHOOK_ADDRESSES' },
    ).default([]),
    environment: setting(
      oneOf('live', 'sandbox'),
      "Which of Didit's environments the key belongs to. Decisions of the other one are " +
        'refused. In the sandbox no face is checked, so it needs development mode and a ' +
        'loopback issuer.',
      { env: 'DIDIT_ENVIRONMENT' },
    ).default('live'),
    applicationId: setting(
      kind.text,
      'When set, webhooks that name another Didit application are ignored.',
      { env: 'DIDIT_APPLICATION_ID', example: '6f1c8f0e-27a9-4b53-9d0e-3f5a4c2b7d18' },
    ).optional(),
    workflows: z
      .strictObject({
        passive: setting(
          kind.text,
          'The id of the workflow for logins: passive liveness, face match and IP analysis.',
          { env: 'DIDIT_WORKFLOW_PASSIVE', example: '0b6f2f0a-5f0d-4a57-8f65-5f7f0c1f7a11' },
        ),
        active: setting(
          kind.text,
          'The id of the workflow for logins that need more: active liveness (ACTIVE_3D), face match ' +
            'and IP analysis. Without it nobody is asked for that, and what needs it is refused.',
          { env: 'DIDIT_WORKFLOW_ACTIVE', example: '2c9a7d41-0f3e-4b8e-9a37-9d5b6c1e8f22' },
        ).optional(),
        kyc: setting(
          kind.text,
          'The id of the workflow that enrols people: document, passive liveness, face match and ' +
            'IP analysis.',
          { env: 'DIDIT_WORKFLOW_KYC', example: '7d1c9b52-1d0e-4a49-8a53-2c6a4f0b9e33' },
        ).optional(),
      })
      .describe("The workflows made in Didit's console."),
    faceReference: setting(
      oneOf('portrait', 'stored'),
      'What a selfie is compared with: the portrait that we keep sealed and send each ' +
        'time, or the face that Didit stored at enrolment. Only the first is pinned by us.',
      { env: 'DIDIT_FACE_REFERENCE' },
    ).default('portrait'),
    decoyPortraitFile: setting(
      kind.fileName,
      "A JPEG or PNG picture of a face that is nobody's. Names that lead to no account are " +
        'compared with it, and refused: without it they can be told from those that do.',
      { env: 'DIDIT_DECOY_PORTRAIT_FILE', file: true, example: 'decoy.png' },
    ).optional(),
    createFloorMs: setting(
      kind.milliseconds,
      'Beginning a selfie takes at least so many milliseconds, so that the time does not ' +
        'tell a name that leads to an account from one that does not.',
      { env: 'DIDIT_CREATE_FLOOR_MS' },
    ).default(500),
    hostedOrigins: setting(
      oneOrMoreOf(kind.origin),
      'Where a browser may be sent for the selfie. Change it for a white-label domain.',
      { env: 'DIDIT_HOSTED_ORIGINS' },
    ).default(['https://verify.didit.me']),
    mediaOrigins: setting(
      oneOrMoreOf(kind.origin),
      'Where the portrait of an enrolment may be fetched from, besides the API and the hosted ' +
        'pages. Didit keeps pictures in a bucket that its documentation does not name; this is ' +
        'the one that others have seen. A link to anywhere else is not followed, and the log ' +
        'says where it led.',
      { env: 'DIDIT_MEDIA_ORIGINS' },
    ).default(['https://service-didit-verification-production-a1c5f9b8.s3.amazonaws.com']),
    createsPerMinute: setting(
      kind.count,
      'How many selfies one process may begin in a minute. Divide what Didit grants the key by ' +
        'the number of processes; past it people are told to try later.',
      { env: 'DIDIT_CREATES_PER_MINUTE' },
    ).default(300),
    minimumLivenessScore: setting(
      kind.score,
      'Liveness below this score does not open the door, even when Didit approved.',
      { env: 'DIDIT_MINIMUM_LIVENESS_SCORE' },
    ).default(80),
    minimumFaceMatchScore: setting(
      kind.score,
      'A face match below this score does not open the door, even when Didit approved.',
      { env: 'DIDIT_MINIMUM_FACE_MATCH_SCORE' },
    ).default(85),
    minimumDocumentMatchScore: setting(
      kind.score,
      'At an enrolment, a match below this score between the face and the picture on the ' +
        'document enrols nobody, even when Didit approved. Lower than for a login, since that ' +
        'picture is old and small; above the 60 from which Didit by default wants no review.',
      { env: 'DIDIT_MINIMUM_DOCUMENT_MATCH_SCORE' },
    ).default(70),
    allowFlashing: setting(
      kind.flag,
      'Whether the enrolment workflow may check liveness by flashes of light (FLASHING). They ' +
        'can trigger seizures in people who are sensitive to them, so the page warns before.',
      { env: 'DIDIT_ALLOW_FLASHING' },
    ).default(false),
    sendDeviceHints: setting(
      kind.flag,
      'Whether Didit is told a hashed device id and the IP address of the browser that ' +
        'begins a login.',
      { env: 'DIDIT_SEND_DEVICE_HINTS' },
    ).default(false),
  })
  .describe('The Didit application that takes and judges the selfies.');
