/** `didit-oidc didit verify-webhook`: what the door would say of a delivery that somebody captured, and why. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Finding } from '../doctor/finding.ts';
import type { SignatureFound } from '../doctor/captured.ts';
import { print } from './people.ts';

interface Options {
  config?: string;
  secretFile?: string;
  json?: true;
}

export function addDiditCommand(program: Command): void {
  program
    .command('didit')
    .description('about what comes from Didit')
    .command('verify-webhook <file>')
    .description('which signatures of a captured delivery fit, and what the provider would do')
    .option('--secret-file <file>', 'secrets, newest first, a line each, instead of the configured')
    .option('--config <file>', 'configuration file (or CONFIG_FILE)')
    .option('--json', 'print JSON')
    .action(verify);
}

async function verify(file: string, options: Options): Promise<void> {
  const { parseSecret } = await import('../../config/secrets.ts');
  const { readCaptured, signaturesOf } = await import('../doctor/captured.ts');
  const { checkDelivery } = await import('../doctor/delivery.ts');
  const delivery = readCaptured(readFileSync(file === '-' ? 0 : file, 'utf8'));
  const didit = await settingsOf(options, delivery.body);
  const secrets = didit.webhookSecrets.flatMap((text) => parseSecret(text) ?? []);
  if (secrets.length === 0) throw new Error('there is no secret of 16 characters or more');
  const now = Date.now();
  const texts = secrets.map(({ secret }) => secret);
  const signatures = signaturesOf(delivery, texts, now);
  const checks = checkDelivery(delivery, didit, now);
  const would = verdictOf(checks);
  print(options, { signatures, checks, would }, () =>
    linesOf(signatures, checks, would, secrets.length),
  );
  if (would !== 'acted upon') process.exitCode = 1;
}

async function settingsOf({ secretFile, config: fileName }: Options, body: string) {
  if (secretFile === undefined) {
    const { loadConfig } = await import('../../config/load.ts');
    return loadConfig({ fileName, env: process.env }).config.didit;
  }
  const lines = readFileSync(secretFile, 'utf8').split('\n');
  const isSandbox = /"environment"\s*:\s*"sandbox"/.test(body);
  return {
    webhookSecrets: lines.map((line) => line.trim()).filter((line) => line !== ''),
    acceptPrefixedSignature: false,
    // Without a configuration nobody knows which one is expected.
    environment: isSandbox ? ('sandbox' as const) : ('live' as const),
  };
}

function verdictOf(checks: readonly Finding[]): string {
  const [signature, ...others] = checks;
  if (signature?.state === 'problem') return 'refused';
  const time = others.find(({ name }) => name === 'delivery time');
  if (time && time.state !== 'ok') return 'refused by now';
  return others.every(({ state }) => state === 'ok') ? 'acted upon' : 'accepted and left alone';
}

function linesOf(
  signatures: readonly SignatureFound[],
  checks: readonly Finding[],
  would: string,
  secrets: number,
): string[] {
  const rows = signatures.map(({ header, state, over, secret }) => {
    const age =
      secret === 1 ? 'the newest secret' : `secret ${secret ?? 0} of ${secrets}, an older one`;
    const made = state === 'fits' ? `fits ${age}, over ${over ?? ''}` : state;
    const aside = header === 'X-Signature-Simple' ? ' (never looked at)' : '';
    return `${header.padEnd(18)}  ${made}${aside}`;
  });
  const findings = checks.flatMap(({ state, name, found, advice }) => [
    `${state.padEnd(7)}  ${name}: ${found}`,
    ...(advice === undefined ? [] : [`         → ${advice}`]),
  ]);
  return [...rows, '', ...findings, '', `sent now, it would be ${would}`];
}
