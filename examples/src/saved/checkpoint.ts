/**
 * All that a run needs to go on: weights, optimiser state, step, random states, the settings that made them. In a
 * sealed file: length of a JSON header, header, arrays. Refuses, field by field, what this run could not have
 * written.
 */

import { allFinite } from '../finite.js';
import type { CurvePoint, History, StepRecord } from '../train/loop.js';
import { Fields } from './fields.js';
import { checkSameSettings, type RunSettings } from './same-settings.js';
import { readSealed, type SealedFile, unusable, writeSealed } from './sealed-file.js';

export interface Checkpoint {
  /** Steps done. */
  step: number;
  config: RunSettings;
  /** Random state of each encoder: how many chunks it has drawn dropout for. */
  randomStates: number[];
  history: History;
  arrays: Record<string, Float32Array>;
}

/** What the run that resumes knows about the checkpoint beforehand. */
export interface ExpectedCheckpoint {
  config: RunSettings;
  /** Steps of the whole run. */
  steps: number;
  encoders: number;
  /** Length of each array, in the order of the file. */
  lengths: ReadonlyMap<string, number>;
}

const headerLengthBytes = 4;

const sealed = (path: string): SealedFile => ({
  path,
  what: 'a checkpoint of this demo',
  prefix: 'INFCLCK2',
  remedy: 'start anew without --resume',
});

/** Throws OutputError. */
export function writeCheckpoint(path: string, { arrays, ...rest }: Checkpoint): void {
  const lengths = Object.entries(arrays).map(([name, array]) => [name, array.length] as const);
  const header = Buffer.from(JSON.stringify({ ...rest, lengths }));
  const length = Buffer.alloc(headerLengthBytes);
  length.writeUInt32LE(header.length);
  const content = Object.values(arrays).map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  writeSealed(sealed(path), [length, header, ...content]);
}

/** Throws CheckpointError with what is wrong with the file, UsageError where it cannot be read. */
export function readCheckpoint(path: string, expected: ExpectedCheckpoint): Checkpoint {
  const file = sealed(path);
  const content = readSealed(file);
  const headerLength = content.length < headerLengthBytes ? Infinity : content.readUInt32LE(0);
  const headerEnd = headerLengthBytes + headerLength;
  if (content.length < headerEnd) throw unusable(file, `Expected a header in ${path} but it is cut short`);
  const header = Fields.parse(file, content.toString('utf8', headerLengthBytes, headerEnd));
  header.named(['step', 'config', 'randomStates', 'history', 'lengths']);
  checkSameSettings(file, header.fields('config').settings(), expected.config);
  const step = header.whole('step', 0, expected.steps);
  return {
    step,
    config: expected.config,
    randomStates: readRandomStates(header, expected.encoders),
    history: readHistory(header.fields('history'), step),
    arrays: readArrays(file, header, content.subarray(headerEnd), expected.lengths),
  };
}

function readRandomStates(header: Fields, encoders: number): number[] {
  return header.list('randomStates', encoders).map((state) => {
    if (Number.isSafeInteger(state) && (state as number) >= 0) return state as number;
    throw header.refuse('randomStates', `${encoders} whole numbers`);
  });
}

/** Records of exactly the steps done, in order. */
function readHistory(history: Fields, done: number): History {
  history.named(['steps', 'curve']);
  const steps = history.items('steps', done).map((record, i) => readRecord(record, i + 1));
  let last = 0;
  const curve = history.items('curve').map((point): CurvePoint => {
    point.named(['step', 'recallAt1']);
    last = point.whole('step', last + 1, done);
    return { step: last, recallAt1: point.number('recallAt1', 0, 1) };
  });
  return { steps, curve };
}

function readRecord(record: Fields, step: number): StepRecord {
  record.named(['step', 'loss', 'accuracy', 'scale', 'learningRate', 'seconds', 'cost']);
  const cost = record.fields('cost');
  cost.named(['encode', 'loss', 'backward', 'totalSeconds', 'overheadRatio']);
  const phase = (name: string) => {
    const fields = cost.fields(name).named(['seconds', 'bytes']);
    return { seconds: fields.number('seconds', 0), bytes: fields.number('bytes', 0) };
  };
  return {
    step: record.whole('step', step, step),
    loss: record.number('loss'),
    accuracy: record.number('accuracy', 0, 1),
    scale: record.number('scale', 0),
    learningRate: record.number('learningRate', 0),
    seconds: record.number('seconds', 0),
    cost: {
      encode: phase('encode'),
      loss: phase('loss'),
      backward: phase('backward'),
      totalSeconds: cost.number('totalSeconds', 0),
      overheadRatio: cost.number('overheadRatio'),
    },
  };
}

function readArrays(
  file: SealedFile,
  header: Fields,
  content: Buffer,
  expected: ExpectedCheckpoint['lengths'],
): Checkpoint['arrays'] {
  const wanted = [...expected];
  header.list('lengths', wanted.length).forEach((entry, i) => {
    const [name, length] = wanted[i]!;
    if (Array.isArray(entry) && entry.length === 2 && entry[0] === name && entry[1] === length) return;
    throw header.refuse('lengths', `${length} numbers in array ${name}`);
  });
  const total = wanted.reduce((sum, [, length]) => sum + 4 * length, 0);
  if (content.length !== total) {
    throw unusable(file, `Expected ${total} bytes of arrays in ${file.path} but received ${content.length}`);
  }
  const arrays: Checkpoint['arrays'] = {};
  let offset = 0;
  for (const [name, length] of wanted) {
    const end = offset + 4 * length;
    const array = new Float32Array(Uint8Array.prototype.slice.call(content, offset, end).buffer);
    if (!allFinite(array)) {
      throw unusable(
        file,
        `Expected finite numbers in array ${name} in ${file.path} but received NaN or infinity`,
      );
    }
    arrays[name] = array;
    offset = end;
  }
  return arrays;
}
