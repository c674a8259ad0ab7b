/**
 * A timer that is due runs before what has come in is read. A process that was held up itself, by a busy machine or as
 * a paused container, would say of every command under way that Redis did not answer, though the answers lie there. So
 * they are looked at once more before a command is given up.
 */
import type { Command } from 'ioredis';
import type { RedisClient } from './redis-client.ts';

type Send = (command: Command, ...where: unknown[]) => unknown;

export function lookBeforeGivingUp(client: RedisClient): void {
  const send = client.sendCommand.bind(client) as Send;
  client.sendCommand = (command: Command, ...where: unknown[]) => {
    command.setTimeout = onceOnly((ms) => giveUpLater(command, ms));
    return send(command, ...where);
  };
}

function giveUpLater(command: Command, ms: number): void {
  const giveUp = (): void => {
    if (!command.isSettled) command.reject(new Error('Command timed out'));
  };
  // After the sockets had their turn.
  const timer = setTimeout(() => setImmediate(giveUp), ms);
  const settled = (): void => clearTimeout(timer);
  command.promise.then(settled, settled);
}

/** In a cluster a command is sent again to where its key has gone, and its time goes on. */
function onceOnly(start: (ms: number) => void): (ms: number) => void {
  let hasStarted = false;
  return (ms) => {
    if (!hasStarted) start(ms);
    hasStarted = true;
  };
}
