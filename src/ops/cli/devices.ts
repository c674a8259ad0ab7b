/** `didit-oidc devices …`: the browsers that have a key of somebody's. */
import type { Command } from 'commander';
import { subOf, withActs } from './acting.ts';
import { type OperatorOptions, operatorCommand, print, printAll } from './people.ts';

interface Device {
  id: string;
  name: string;
  added_at: string;
  used_at: string;
}

export function addDevicesCommand(program: Command): void {
  const devices = program.command('devices').description('browsers that have a key of somebody’s');
  operatorCommand(
    devices,
    'list <identifier>',
    'those of one person: by e-mail address, user name or sub',
  ).action(list);
  operatorCommand(
    devices,
    'remove <identifier> <device>',
    'this key opens nothing any more; the next sign-in there takes a selfie',
  ).action(remove);
}

async function list(identifier: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    const { devices } = await perform('devices.list', { params: { id } });
    const lines = (devices as Device[]).map((one) =>
      [one.id, `added ${one.added_at}`, `used ${one.used_at}`, one.name].join('  '),
    );
    const next = 'a browser has one after a sign-in by selfie there';
    printAll(options, { sub: id, devices }, { lines, next });
  });
}

async function remove(identifier: string, device: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    await perform('devices.remove', { params: { id, device } });
    print(options, { sub: id, removed: device }, () => [`${device} opens nothing any more`]);
  });
}
