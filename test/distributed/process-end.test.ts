/** The end of a process that is a rank: which events reach the group. Real processes are in test/mpi. */
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { watchProcessEnd } from '../../lib/distributed/process-end';
import type { GroupHandle } from '../../lib/native/binding';

class FakeProcess extends EventEmitter {
  captures = false;
  hasUncaughtExceptionCaptureCallback() {
    return this.captures;
  }
}

const handle = {} as GroupHandle;

function watch() {
  const told: unknown[][] = [];
  const binding = {
    failGroup: (...args: unknown[]) => void told.push(['fail', ...args]),
    leaveGroup: (...args: unknown[]) => void told.push(['leave', ...args]),
  };
  const process = new FakeProcess();
  const stop = watchProcessEnd(binding, handle, process as unknown as NodeJS.Process);
  return { told, process, stop };
}

let printed = '';
beforeEach(() => {
  printed = '';
  jest.spyOn(fs, 'writeSync').mockImplementation(((file: number, text: string) => {
    if (file === 2) printed += text;
    return text.length;
  }) as typeof fs.writeSync);
});
afterEach(() => jest.restoreAllMocks());

it('an exit reaches the group once, with its code', () => {
  const { told, process } = watch();
  process.emit('exit', 3);
  process.emit('exit', 4);
  expect(told).toEqual([['leave', handle, 3]]);
});

it('an uncaught error is printed and told to the other ranks', () => {
  const { told, process } = watch();
  const error = new RangeError('boom');
  process.emit('uncaughtExceptionMonitor', error);
  expect(told).toEqual([['fail', handle, 'uncaught RangeError: boom']]);
  expect(printed).toBe(`${error.stack}\n`);
});

it('so is a thrown value that is no error', () => {
  const { told, process } = watch();
  process.emit('uncaughtExceptionMonitor', 'a word');
  expect(told).toEqual([['fail', handle, 'uncaught error: a word']]);
});

it('an error that the program catches ends nothing', () => {
  const { told, process } = watch();
  process.on('uncaughtException', () => {});
  process.emit('uncaughtExceptionMonitor', new Error('boom'));
  process.removeAllListeners('uncaughtException');
  process.captures = true;
  process.emit('uncaughtExceptionMonitor', new Error('boom'));
  expect([told, printed]).toEqual([[], '']);
});

it('a closed stderr does not keep the other ranks waiting', () => {
  jest.spyOn(fs, 'writeSync').mockImplementation(() => {
    throw new Error('EPIPE');
  });
  const { told, process } = watch();
  process.emit('uncaughtExceptionMonitor', new Error('boom'));
  expect(told).toHaveLength(1);
});

it('after close, errors are not watched, and the exit is', () => {
  const { told, process, stop } = watch();
  stop();
  expect(process.listenerCount('uncaughtExceptionMonitor')).toBe(0);
  process.emit('exit', 0);
  expect(told).toEqual([['leave', handle, 0]]);
});
