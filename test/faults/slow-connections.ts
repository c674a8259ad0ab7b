/**
 * Five thousand connections that say their request a byte at a time: a process of its own, so that
 * who measures the server meanwhile does not wait for the attacker's writes.
 *
 * `node slow-connections.ts PORT`. Asked anything it answers how many are open; told `stop` it opens
 * no more.
 */
import { type Socket, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const port = Number(process.argv[2]);
/** So many write at once, and then the next: each writes once a second. */
const parts = 20;

const headOf = (path: string, type: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\ncontent-type: ${type}\r\ncontent-length: 9000\r\n\r\n`;

/** Of the bell one address has a share of 128; whoever has more is sent away and costs nothing. */
const kinds = [
  { count: 4_500, head: headOf('/token', 'application/x-www-form-urlencoded') },
  { count: 400, head: 'GET / HTTP/1.1\r\nHost: ' },
  { count: 100, head: headOf('/webhooks/didit', 'application/json') },
];

const open = new Map<Socket, number>();
let stopped = false;

/** One that never gets to the end of its request, and a new one when it is let go of. */
function begin(head: string, part: number): void {
  // From an address of their own: what one address may do is another limit.
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  open.set(socket, part);
  socket.on('error', () => undefined);
  socket.on('data', () => undefined);
  socket.once('connect', () => socket.write(head));
  socket.once('close', () => {
    open.delete(socket);
    if (!stopped) begin(head, part);
  });
}

let turn = 0;
setInterval(() => {
  turn = (turn + 1) % parts;
  for (const [socket, part] of open) if (part === turn) socket.write('x');
}, 1_000 / parts);

process.on('message', (said) => {
  if (said === 'stop') {
    stopped = true;
    for (const socket of open.keys()) if (socket.connecting) socket.destroy();
  }
  process.send?.(open.size);
});
process.on('disconnect', () => process.exit());

let begun = 0;
for (const { count, head } of kinds) {
  for (let at = 0; at < count; at += 1) {
    begin(head, begun % parts);
    begun += 1;
    if (begun % 250 === 0) await sleep(5);
  }
}
process.send?.(open.size);
