/** `didit-oidc cost`, `budget …` and `outage …`: what selfies cost, what they may cost, and when Didit is not asked. */
import type { Command } from 'commander';
import {
  type OperatorOptions,
  type PeopleOptions,
  operatorCommand,
  peopleCommand,
} from './people.ts';

export interface CostOptions extends PeopleOptions {
  month?: string;
  by: string;
}

export interface CapOptions extends OperatorOptions {
  client?: string;
  eachClient?: true;
}

export interface SetCapOptions extends CapOptions {
  monthSoft?: string;
  monthHard?: string;
  daySoft?: string;
  dayHard?: string;
}

export interface OutageOnOptions extends OperatorOptions {
  note: string;
  from?: string;
  until?: string;
}

export function addSpendingCommands(program: Command): void {
  peopleCommand(program, 'cost', 'what selfies cost, what skipping them saved, and the forecast')
    .option(
      '--month <year-month>',
      'of this month, for instance 2026-11 (default: the present one)',
    )
    .option('--by <what>', 'day, client or reason', 'day')
    .action(async (options: CostOptions) => (await work()).showCost(options));
  addBudget(program);
  addOutage(program);
}

function addBudget(program: Command): void {
  const budget = program.command('budget').description('how much may be spent on selfies');
  peopleCommand(budget, 'show', 'the caps in force and what was spent').action(
    async (options: PeopleOptions) => (await work()).showBudget(options),
  );
  withWhose(operatorCommand(budget, 'set', 'set caps, in dollars; they count within seconds'))
    .option('--month-soft <dollars>', 'of a month: from here on an operator is told')
    .option('--month-hard <dollars>', 'of a month: more is not spent')
    .option('--day-soft <dollars>', 'of a day')
    .option('--day-hard <dollars>', 'of a day')
    .action(async (options: SetCapOptions) => (await work()).setBudget(options));
  withWhose(operatorCommand(budget, 'clear', 'go back to the caps of the settings')).action(
    async (options: CapOptions) => (await work()).clearBudget(options),
  );
}

const withWhose = (command: Command): Command =>
  command
    .option('--client <id>', 'of this relying party alone')
    .option('--each-client', 'of each relying party that has none of its own');

function addOutage(program: Command): void {
  const outage = program.command('outage').description('whether Didit is asked');
  peopleCommand(outage, 'show', 'how it is, and what is planned').action(
    async (options: PeopleOptions) => (await work()).showOutageNow(options),
  );
  operatorCommand(outage, 'on', 'stop asking Didit, now or in a stretch to come')
    .requiredOption('--note <text>', 'why, in a line')
    .option('--from <time>', 'when it begins: an ISO time, or in so long: 2h, 3d (default: now)')
    .option('--until <time>', 'when it is over by itself, written in the same way')
    .action(async (options: OutageOnOptions) => (await work()).outageOn(options));
  operatorCommand(outage, 'off', 'ask Didit again, and forget what was planned').action(
    async (options: OperatorOptions) => (await work()).outageOff(options),
  );
}

const work = () => import('./spending-work.ts');
