/** `didit-oidc doctor`: look at everything that a login needs, and say what is wrong and what to do. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../../config/schema.ts';
import type { Finding } from '../doctor/finding.ts';
import { print } from './people.ts';

interface Options {
  config?: string;
  delivery?: string;
  json?: true;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'check configuration, store, issuer, clock, Didit key, workflow, webhook, mail and files of networks',
    )
    .option('--config <file>', 'configuration file (or CONFIG_FILE)')
    .option(
      '--delivery <file>',
      "check one webhook from Didit's delivery log instead (- for standard input)",
    )
    .option('--json', 'print JSON')
    .action(async ({ config: fileName, delivery, json }: Options) => {
      const checks = await examine(fileName, delivery);
      print(json ? { json } : {}, { checks }, () => linesOf(checks));
      if (checks.some(({ state }) => state === 'problem')) process.exitCode = 1;
    });
}

async function examine(fileName: string | undefined, delivery: string | undefined) {
  const { loadConfig } = await import('../../config/load.ts');
  const { ConfigurationError } = await import('../../config/problems.ts');
  let config: Config;
  try {
    ({ config } = loadConfig({ fileName, env: process.env }));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.problems.map(({ key, message, fix }): Finding => ({
      ...{ name: key, state: 'problem', found: message, advice: fix },
    }));
  }
  return delivery === undefined ? examineAll(config) : examineFile(delivery, config);
}

async function examineAll(config: Config): Promise<Finding[]> {
  const { checkFaces, checkIssuer, checkStore } = await import('../doctor/house.ts');
  const { checkDidit } = await import('../doctor/didit.ts');
  const { checkMail } = await import('../doctor/mail.ts');
  const { checkNetworks } = await import('../doctor/networks.ts');
  const { fetch } = globalThis;
  const [store, issuer, didit, mail, networks] = await Promise.all([
    checkStore(config, Date.now),
    checkIssuer(config.issuer, fetch),
    checkDidit(config, { fetch, clock: Date.now }),
    checkMail(config),
    checkNetworks(config.networks, Date.now()),
  ]);
  const { strangeVariables } = await import('../../config/strange-variables.ts');
  const { warning } = await import('../doctor/finding.ts');
  const strange = strangeVariables(process.env).map((line) =>
    warning('environment', line, 'Correct its name, or take it away.'),
  );
  const configuration = { name: 'configuration', state: 'ok', found: 'is complete' } as const;
  const faces = checkFaces(config.didit);
  return [configuration, ...strange, ...store, issuer, ...didit, mail, ...faces, ...networks];
}

async function examineFile(file: string, config: Config): Promise<Finding[]> {
  const { checkDelivery, readDelivery } = await import('../doctor/delivery.ts');
  const text = readFileSync(file === '-' ? 0 : file, 'utf8');
  return checkDelivery(readDelivery(text), config.didit, Date.now());
}

function linesOf(checks: readonly Finding[]): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks.flatMap(({ state, name, found, advice }) => [
    `${state.padEnd(7)}  ${name.padEnd(width)}  ${found}`,
    ...(advice === undefined ? [] : [`${' '.repeat(width + 11)}→ ${advice}`]),
  ]);
}
