/** When a running provider takes its configuration anew. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseClients } from '../../src/oidc/clients.ts';
import { type ReloadTools, createReloader, watchFiles } from '../../src/ops/reload.ts';
import { soon } from '../support/soon.ts';

const everySeconds = 0.02;

/** Looks all the time. What it was told is in `lines`. */
async function looking(tools: Partial<ReloadTools>) {
  const lines: Record<string, unknown>[] = [];
  const say = (message: string, fields?: object): void => void lines.push({ message, ...fields });
  const reloader = createReloader({
    ...{ files: watchFiles(), clock: Date.now, everySeconds, log: { info: say, error: say } },
    ...{ keyMark: () => Promise.resolve(''), apply: () => Promise.resolve() },
    ...tools,
  });
  await reloader.start();
  onTestFinished(() => reloader.stop());
  return { reloader, lines };
}

const someLooks = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, 10 * everySeconds * 1000));

function filesOf(content: Record<string, string>) {
  const files = new Map(Object.entries(content));
  const watched = watchFiles((name) => {
    const text = files.get(name);
    if (text === undefined) throw new Error('ENOENT');
    return text;
  });
  return { files, watched };
}

describe('a file', () => {
  it('[PL-03] that says something else is taken on, and a missing one when it comes', () => {
    const { files, watched } = filesOf({ a: 'one' });
    const twice = () => [watched.changed(), watched.changed()];
    watched.read('a');
    expect(() => watched.read('b')).toThrow('ENOENT');
    expect(twice()).toEqual([undefined, undefined]);
    files.set('b', 'there');
    expect(twice()).toEqual([undefined, 'b']);
    watched.read('b');
    files.set('a', 'two');
    expect(twice()).toEqual([undefined, 'a']);
    watched.restart();
    expect(twice()).toEqual([undefined, undefined]);
  });

  it('[PL-03] that is being written is left alone until it stays as it is, and so are the others', () => {
    const { files, watched } = filesOf({ a: 'old', b: 'old' });
    watched.read('a');
    watched.read('b');
    for (const half of ['', 'n', 'ne']) {
      files.set('b', half);
      expect(watched.changed()).toBeUndefined();
    }
    files.set('a', 'new');
    expect(watched.changed()).toBeUndefined();
    files.set('b', 'new');
    expect(watched.changed()).toBeUndefined();
    expect(watched.changed()).toBe('a');
  });

  const both = `clients:
  - client_id: wiki
    token_endpoint_auth_method: none
    redirect_uris: [https://wiki.example.com/callback]
  - client_id: shop
    token_endpoint_auth_method: none
    redirect_uris: [https://shop.example.com/callback]
`;

  it.each([
    ['empty', ''],
    ['cut after the first', both.slice(0, both.indexOf('  - client_id: shop'))],
  ])('[PL-03] of apps that is %s while it is read takes no app out', async (_, half) => {
    const { files, watched } = filesOf({ clients: both });
    const apps = () => parseClients(watched.read('clients')).clients.map(({ client_id: id }) => id);
    expect(apps()).toEqual(['wiki', 'shop']);
    const seen: unknown[] = [];
    let looks = 0;
    const { lines } = await looking({
      files: {
        ...watched,
        changed() {
          looks += 1;
          if (looks === 2) files.set('clients', half);
          if (looks === 3) files.set('clients', `${both}# the same apps\n`);
          return watched.changed();
        },
      },
      apply() {
        watched.restart();
        seen.push(apps());
        return Promise.resolve();
      },
    });
    await soon(() => expect(lines).toMatchObject([{ message: 'reloaded' }]));
    expect(looks).toBeGreaterThan(3);
    expect(seen).toEqual([['wiki', 'shop']]);
  });
});

describe('a reload', () => {
  it('[PL-03] that fails says once what is wrong', async () => {
    const { reloader, lines } = await looking({
      apply: () => Promise.reject(new Error('the key set is not JSON')),
    });
    await reloader.reload('SIGHUP');
    await someLooks();
    expect(lines).toEqual([
      { message: 'config_reload_failed', because: 'SIGHUP', reason: 'the key set is not JSON' },
    ]);
  });

  it('[PL-03] that failed is tried again every minute until it does not', async () => {
    let nowMs = 0;
    let fails = 2;
    const { reloader, lines } = await looking({
      clock: () => nowMs,
      apply: () => (fails-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve()),
    });
    await reloader.reload('SIGHUP');
    nowMs = 59_999;
    await someLooks();
    expect(lines).toHaveLength(1);
    nowMs = 60_000;
    await soon(() => expect(lines).toHaveLength(2));
    await someLooks();
    expect(lines).toHaveLength(2);
    nowMs = 120_000;
    await soon(() => expect(lines).toHaveLength(3));
    nowMs = 600_000;
    await someLooks();
    const again = { because: 'the last time failed' };
    expect(lines).toMatchObject([
      { message: 'config_reload_failed', because: 'SIGHUP' },
      { message: 'config_reload_failed', ...again },
      { message: 'reloaded', ...again },
    ]);
  });

  it('[PL-03] is not the end of it for a key whose time comes while it is under way', async () => {
    const beginsMs = 2_000;
    let nowMs = beginsMs - 100;
    const usedAt = (ms: number): string => (ms < beginsMs ? 'the old key' : 'the new key');
    let inForce = usedAt(nowMs);
    const { reloader, lines } = await looking({
      clock: () => nowMs,
      keyMark: (atMs) => Promise.resolve(usedAt(atMs)),
      apply() {
        inForce = usedAt(nowMs);
        nowMs = beginsMs + 100;
        return Promise.resolve();
      },
    });
    await reloader.reload('SIGHUP');
    expect(inForce).toBe('the old key');
    await soon(() => expect(inForce).toBe('the new key'));
    await someLooks();
    expect(lines.map(({ because }) => because)).toEqual([
      ...['SIGHUP', 'the time of a key has come'],
    ]);
  });
});
