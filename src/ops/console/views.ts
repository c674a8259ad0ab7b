/** What operators see: a shell with the list of pages, and in it one template. English, unlike the pages of people. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Eta } from 'eta';
import type { Assets } from '../../web/assets.ts';

export interface ShellContext {
  title: string;
  /** Absent where nobody is signed in. */
  who?: { name: string; role: string } | undefined;
  menu?: readonly { href: string; text: string; isHere: boolean }[];
  formToken?: string;
  said?: string | undefined;
  reference?: string | undefined;
  sandbox: boolean;
}

export type ConsoleViews = (name: string, data: object, shell: ShellContext) => string;

/** @param service what the people's pages are headed with. */
export function createConsoleViews(
  directory: string,
  assets: Pick<Assets, 'href'>,
  service: string,
): ConsoleViews {
  const eta = new Eta({
    autoEscape: true,
    cache: true,
    functionHeader: 'const { data, when, atSecond, since, words } = it;',
  });
  for (const file of readdirSync(directory).filter((one) => one.endsWith('.eta'))) {
    eta.loadTemplate(`@${basename(file, '.eta')}`, readFileSync(join(directory, file), 'utf8'));
  }
  const helpers = { href: assets.href, service, when, atSecond, since, words };
  return (name, data, shell) => eta.render(`@${name}`, { data, shell, ...helpers });
}

/** A code of ours as it is read: `in_review`, `operator.acted`. */
const words = (code: string): string => code.replaceAll(/[._-]/g, ' ');

/** A day and a time, in UTC, and so it says. */
function when(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Under a heading that says UTC. */
const atSecond = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;

/** "3 h 12 min": how long something has waited. */
export function since(iso: string, nowMs: number): string {
  const minutes = Math.max(0, Math.floor((nowMs - Date.parse(iso)) / 60_000));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}
