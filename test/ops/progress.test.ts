/** What long work says of itself, and what it prints line by line. */
import { afterEach, expect, it, vi } from 'vitest';
import { createTeller, printEach } from '../../src/ops/cli/progress.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function written(stream: 'stdout' | 'stderr'): string[] {
  const lines: string[] = [];
  vi.spyOn(process[stream], 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  return lines;
}

it('is told a line a second, and not one a record', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const told = written('stderr');
  const tell = createTeller();
  for (let at = 1; at <= 20; at += 1) {
    vi.setSystemTime(Date.now() + 150);
    tell(`${at} of 20`);
  }
  expect(told).toEqual(['7 of 20\n', '14 of 20\n']);
});

it('of an export stands beside what programs read, and not in it', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const [printed, told] = [written('stdout'), written('stderr')];
  async function* people(): AsyncGenerator<object> {
    for (const name of ['ana', 'ben', 'cleo']) {
      await Promise.resolve();
      vi.setSystemTime(Date.now() + 600);
      yield { name };
    }
  }
  await printEach(people(), 'people');
  expect(printed).toEqual(['{"name":"ana"}\n', '{"name":"ben"}\n', '{"name":"cleo"}\n']);
  expect(told).toEqual(['2 people printed\n']);
});

it('of an export waits until what is printed is read', async () => {
  const taken: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    taken.push(String(line));
    setImmediate(() => process.stdout.emit('drain'));
    return false;
  });
  let made = 0;
  async function* many(): AsyncGenerator<number> {
    while (made < 3) {
      await Promise.resolve();
      // All that came before it has been taken.
      expect(taken).toHaveLength(made);
      yield (made += 1);
    }
  }
  await printEach(many(), 'numbers');
  expect(taken).toEqual(['1\n', '2\n', '3\n']);
});
