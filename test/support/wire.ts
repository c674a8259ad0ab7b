/** A wire to a server, that a test can cut, slow down, or watch. */
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Wire {
  port: number;
  leadTo(port: number): void;
  /** What is open breaks off; what is new is hung up on. */
  cut(): void;
  mend(): void;
  /** From now on everything takes longer on its way there. */
  slowDown(ms: number): void;
  /** Told of each write before it goes on, and waited for; what it swallows does not go on. */
  watch(watcher: Watcher): void;
  close(): Promise<void>;
}

export type Watcher = (
  direction: 'there' | 'back',
) => 'pass' | 'swallow' | Promise<'pass' | 'swallow'>;

export async function startWire(target = 0, host = '127.0.0.1'): Promise<Wire> {
  const open = new Set<Socket>();
  let isCut = false;
  let delayMs = 0;
  let watcher: Watcher = () => 'pass';

  function join(here: Socket): void {
    const there = connect(target, host);
    for (const [one, other] of [
      [here, there],
      [there, here],
    ] as const) {
      open.add(one);
      one.on('error', () => undefined);
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    forward(here, there, 'there');
    forward(there, here, 'back');
  }

  /** In order, however long the delay and the watcher take. */
  function forward(from: Socket, to: Socket, direction: 'there' | 'back'): void {
    let before = Promise.resolve();
    from.on('data', (chunk) => {
      before = before.then(async () => {
        if (direction === 'there' && delayMs > 0) await sleep(delayMs);
        if ((await watcher(direction)) === 'pass') to.write(chunk);
      });
    });
  }

  const server = createServer((socket) => {
    if (isCut) socket.destroy();
    else join(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const breakOff = (): void => open.forEach((socket) => void socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => void (target = port),
    cut() {
      isCut = true;
      breakOff();
    },
    mend: () => void (isCut = false),
    slowDown: (ms) => void (delayMs = ms),
    watch: (next) => void (watcher = next),
    async close() {
      breakOff();
      server.close();
      await once(server, 'close');
    },
  };
}
