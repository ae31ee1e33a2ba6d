/** The queue on its own: order, one at a time, and what an abort or a failure does to the rest. */
import { CallQueue } from '../../lib/loss/call-queue';

/** A task that ends when told to. */
function task(name: string, log: string[]) {
  let end!: (error?: Error) => void;
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  const run = async () => {
    log.push(`${name} starts`);
    try {
      await ended;
      return name;
    } finally {
      log.push(`${name} ends`);
    }
  };
  return { run, end };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

it('starts in the same tick when idle', () => {
  const log: string[] = [];
  const [queue, a] = [new CallQueue(), task('a', log)];
  void queue.run(a.run);
  expect(log).toEqual(['a starts']);
});

it('one at a time, first come first served', async () => {
  const log: string[] = [];
  const queue = new CallQueue();
  const tasks = ['a', 'b', 'c'].map((name) => task(name, log));
  const results = tasks.map(({ run }) => queue.run(run));
  for (const { end } of [...tasks].reverse()) end();
  expect(await Promise.all(results)).toEqual(['a', 'b', 'c']);
  expect(log).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} starts`, `${name} ends`]));
});

it('a newcomer waits behind those who wait, even when it comes between two of them', async () => {
  const log: string[] = [];
  const queue = new CallQueue();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => task(name, log));
  const first = queue.run(a!.run);
  const second = queue.run(b!.run);
  const third = first.then(() => queue.run(c!.run));
  for (const { end } of [a!, b!, c!]) end();
  await Promise.all([first, second, third]);
  expect(log.filter((line) => line.endsWith('starts'))).toEqual(['a starts', 'b starts', 'c starts']);
});

it('goes on after a failure, which reaches its own caller only', async () => {
  const log: string[] = [];
  const queue = new CallQueue();
  const [a, b] = ['a', 'b'].map((name) => task(name, log));
  const [first, second] = [queue.run(a!.run), queue.run(b!.run)];
  const failure = new Error('a fails');
  a!.end(failure);
  await expect(first).rejects.toBe(failure);
  b!.end();
  expect(await second).toBe('b');
});

it('goes on after a task that throws before it returns a promise', async () => {
  const queue = new CallQueue();
  const failure = new Error('at once');
  const thrower = () => {
    throw failure;
  };
  await expect(queue.run(thrower)).rejects.toBe(failure);
  expect(await queue.run(async () => 'next')).toBe('next');
});

describe('abort', () => {
  it('before: nothing starts', async () => {
    const log: string[] = [];
    const [queue, a] = [new CallQueue(), task('a', log)];
    await expect(queue.run(a.run, AbortSignal.abort('no'))).rejects.toBe('no');
    expect(log).toEqual([]);
    expect(await queue.run(async () => 'next')).toBe('next');
  });

  it('while waiting: leaves the queue at once, the others keep their order', async () => {
    const log: string[] = [];
    const queue = new CallQueue();
    const controller = new AbortController();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => task(name, log));
    const first = queue.run(a!.run);
    const second = queue.run(b!.run, controller.signal);
    const third = queue.run(c!.run);
    controller.abort('changed my mind');
    await expect(second).rejects.toBe('changed my mind');
    expect(log).toEqual(['a starts']);
    for (const { end } of [a!, c!]) end();
    await Promise.all([first, third]);
    expect(log).toEqual(['a starts', 'a ends', 'c starts', 'c ends']);
  });

  it('one signal may be shared by any number of waiting calls: all reject, with one listener between them', async () => {
    const queue = new CallQueue();
    const controller = new AbortController();
    const add = jest.spyOn(controller.signal, 'addEventListener');
    const a = task('a', []);
    const first = queue.run(a.run);
    const waiting = Array.from({ length: 30 }, () => queue.run(async () => 'ran', controller.signal));
    expect(add).toHaveBeenCalledTimes(1);
    controller.abort('enough');
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes).toEqual(Array(30).fill({ status: 'rejected', reason: 'enough' }));
    a.end();
    await first;
  });

  it('a signal whose calls have all had their turn is left without a listener', async () => {
    const queue = new CallQueue();
    const controller = new AbortController();
    const remove = jest.spyOn(controller.signal, 'removeEventListener');
    const calls = Array.from({ length: 3 }, () => queue.run(async () => 'ran', controller.signal));
    expect(await Promise.all(calls)).toEqual(['ran', 'ran', 'ran']);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it('while running: the task’s own affair', async () => {
    const log: string[] = [];
    const [queue, a] = [new CallQueue(), task('a', log)];
    const controller = new AbortController();
    const first = queue.run(a.run, controller.signal);
    controller.abort();
    await settle();
    a.end();
    expect(await first).toBe('a');
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    '%i microtasks after its turn comes: no start after an abort',
    async (count) => {
      const log: string[] = [];
      const queue = new CallQueue();
      const controller = new AbortController();
      const [a, b, c] = ['a', 'b', 'c'].map((name) => task(name, log));
      void queue.run(a!.run);
      const second = queue.run(b!.run, controller.signal).catch((reason) => reason);
      const third = queue.run(c!.run);
      for (const { end } of [a!, b!, c!]) end();
      for (let i = 0; i < count; i++) await undefined;
      const started = log.includes('b starts');
      controller.abort('too late?');
      expect(await second).toBe(started ? 'b' : 'too late?');
      expect(log.includes('b starts')).toBe(started);
      expect(await third).toBe('c');
    },
  );
});
