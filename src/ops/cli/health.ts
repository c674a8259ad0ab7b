/**
 * `didit-oidc health`: does the provider on this machine answer? For health checks of containers, so it says little
 * and leaves with a status. Of the configuration it reads the port alone: a mistake in the file of a provider that
 * runs well is no reason to restart it.
 */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { asPlainLine } from '../../domain/line.ts';

interface Options {
  config?: string;
  json?: true;
  url?: string;
  ready?: true;
}

const withinMs = 2_500;

export function addHealthCommand(program: Command): void {
  program
    .command('health')
    .description('ask the provider on this machine whether it is alive; for health checks')
    .option('--ready', 'ask whether people may be sent to it instead')
    .option('--url <url>', 'what to ask (the management listener at MANAGEMENT_PORT)')
    .option('--config <file>', 'configuration file, for the port (or CONFIG_FILE)')
    .option('--json', 'print JSON')
    .action(async ({ config, json, url, ready }: Options) => {
      const port = process.env['MANAGEMENT_PORT'] || (await portIn(config)) || '9000';
      const own = `http://127.0.0.1:${port}/${ready ? 'readyz' : 'healthz'}`;
      const answer = await ask(url ?? own);
      const isWord = json && answer === 'ok';
      process.stdout.write(`${isWord ? '{"status":"ok"}' : asPlainLine(answer)}\n`);
    });
}

async function portIn(fileName = process.env['CONFIG_FILE']): Promise<string | undefined> {
  if (!fileName) return undefined;
  const { parseFile } = await import('../../config/document.ts');
  try {
    const { values } = parseFile(readFileSync(fileName, 'utf8'), fileName);
    const port = values.get('management.port')?.value;
    return typeof port === 'number' ? String(port) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws unless the answer is a good one. */
async function ask(url: string): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(withinMs) });
  } catch {
    throw new Error(`nobody answers at ${url}`);
  }
  const text = (await answer.text()).slice(0, 200).trim();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${asPlainLine(text)}`);
  return text.startsWith('{') ? text : 'ok';
}
