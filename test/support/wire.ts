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
  /** Told of each write before it goes on, and waited for. */
  watch(watcher: () => void | Promise<void>): void;
  close(): Promise<void>;
}

export async function startWire(target = 0): Promise<Wire> {
  const open = new Set<Socket>();
  let isCut = false;
  let delayMs = 0;
  let watcher: () => void | Promise<void> = () => undefined;

  function join(here: Socket): void {
    const there = connect(target, '127.0.0.1');
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
    there.on('data', (chunk) => here.write(chunk));
    let sent = Promise.resolve();
    here.on('data', (chunk) => {
      sent = sent.then(async () => {
        if (delayMs > 0) await sleep(delayMs);
        await watcher();
        there.write(chunk);
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
