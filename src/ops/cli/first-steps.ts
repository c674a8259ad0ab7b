/** What `init` says in the end. */
import { basename } from 'node:path';
import type { Written } from './first-configuration.ts';

export function nextSteps(
  { issuer, directory, toFill, webhookUrl }: Written,
  compose: true | undefined,
): string {
  const enrols = toFill.variables.includes('DIDIT_WORKFLOW_KYC');
  return [
    `Written to ${directory}: config.yaml, and for your eyes only secrets.env, jwks.json, cookie-keys`,
    'and store-keys. Empty, and for you to fill in, are the files didit-api-key and webhook-secrets,',
    `and in secrets.env: ${toFill.variables.join(', ')}.`,
    '',
    "In Didit's console (https://business.didit.me):",
    '',
    '1. Make a workflow with LIVENESS (passive), FACE_MATCH and IP_ANALYSIS, and let its sessions',
    '   expire as early as it offers. Its id goes to DIDIT_WORKFLOW_PASSIVE in secrets.env.',
    '2. Copy the API key of the application into the file didit-api-key.',
    '3. Add a webhook destination, version v3:',
    `     URL     ${webhookUrl}`,
    '     event   status.updated',
    '   Its secret goes into the file webhook-secrets.',
    ...(enrols
      ? [
          '4. Make a workflow with ID_VERIFICATION, LIVENESS, FACE_MATCH and IP_ANALYSIS. Its id goes to',
          '   DIDIT_WORKFLOW_KYC in secrets.env.',
        ]
      : []),
    '',
    'Not at Didit: a generated face that is nobody’s, as PNG or JPEG, named by didit.decoyPortraitFile in',
    'config.yaml. Without it whoever tries names can tell which of them have an account.',
    '',
    `In front, a proxy with TLS for ${new URL(issuer).host} that keeps the Host header and leads to`,
    `http://127.0.0.1:3000. A Caddyfile for it:`,
    '',
    `${new URL(issuer).host} {`,
    '	reverse_proxy 127.0.0.1:3000',
    '}',
    '',
    'Then:',
    '',
    ...(compose ? composeSteps(directory) : plainSteps(directory)),
    '',
  ].join('\n');
}

function plainSteps(directory: string): string[] {
  const program = calledAs();
  const settings = `set -a; . ${directory}/secrets.env; set +a`;
  return [
    settings,
    `${program} config check`,
    `${program} serve`,
    '',
    'In another shell, once it serves:',
    '',
    settings,
    `${program} doctor`,
    `${program} operators link`,
    '',
    ofOperators,
  ];
}

/** In the folder of docker-compose.yml. */
function composeSteps(directory: string): string[] {
  const compose = `docker compose --env-file ${directory}/compose.env`;
  return [
    `${compose} up --build --wait`,
    `${compose} exec provider-1 node dist/main.js doctor`,
    `${compose} exec provider-1 node dist/main.js operators link`,
    '',
    ofOperators,
    '',
    'trustProxy counts both proxies, yours and the one of the compose file. With TLS_CERTIFICATE in',
    'compose.env there is only the second: make it 1 in config.yaml.',
  ];
}

const ofOperators =
  'The last one prints a link to the console that makes whoever follows it the first operator.';

/** As it can be typed again, from wherever. */
function calledAs(): string {
  const program = process.argv[1] ?? 'didit-oidc';
  if (basename(program) === 'didit-oidc') return 'didit-oidc';
  // A name without a path is found again; a path from here is not.
  const node = process.argv0.includes('/') ? process.execPath : process.argv0;
  return `${node} ${program}`;
}
