/**
 * All that a run needs to go on: weights, optimiser state, step, random states, the configuration that made them.
 * One file: magic, length of a JSON header, header, arrays. Written beside its place and renamed, so that a crash
 * leaves the old file. Refuses files cut short or made by something else.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const magic = 'INFCLCK1';

/** A file that is no checkpoint, is cut short, or belongs to another run. */
export class CheckpointError extends TypeError {}

export interface Checkpoint {
  /** Steps done. */
  step: number;
  /** What must be equal for a resumed run to be the same run. */
  config: Record<string, string | number>;
  /** Random state of each encoder. */
  randomStates: number[];
  /** Anything of the run that is plain data: history of the loss, seconds so far. */
  history: unknown;
  arrays: Record<string, Float32Array>;
}

export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  const { arrays, ...rest } = checkpoint;
  const lengths = Object.entries(arrays).map(([name, array]) => [name, array.length] as const);
  const header = Buffer.from(JSON.stringify({ ...rest, lengths }));
  const prefix = Buffer.alloc(magic.length + 4);
  prefix.write(magic, 'latin1');
  prefix.writeUInt32LE(header.length, magic.length);
  const parts = Object.values(arrays).map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength));
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, Buffer.concat([prefix, header, ...parts]));
  renameSync(temporary, path);
}

/** Throws {@link CheckpointError} with what is wrong with the file, and file-system errors as they are. */
export function readCheckpoint(path: string): Checkpoint {
  const file = readFileSync(path);
  const headerStart = magic.length + 4;
  if (file.length < headerStart || file.toString('latin1', 0, magic.length) !== magic) {
    throw new CheckpointError(
      `Expected a checkpoint of this demo in ${path} but received another kind of file`,
    );
  }
  const headerEnd = headerStart + file.readUInt32LE(magic.length);
  if (file.length < headerEnd) throw cutShort(path);
  const { lengths, ...rest } = JSON.parse(file.toString('utf8', headerStart, headerEnd)) as Omit<
    Checkpoint,
    'arrays'
  > & { lengths: [string, number][] };
  const arrays: Record<string, Float32Array> = {};
  let offset = headerEnd;
  for (const [name, length] of lengths) {
    const end = offset + 4 * length;
    if (file.length < end) throw cutShort(path);
    arrays[name] = new Float32Array(Uint8Array.prototype.slice.call(file, offset, end).buffer);
    offset = end;
  }
  return { ...rest, arrays };
}

/** Throws {@link CheckpointError} naming the first setting that differs. */
export function checkSameConfig(
  path: string,
  found: Checkpoint['config'],
  wanted: Checkpoint['config'],
): void {
  for (const name of new Set([...Object.keys(found), ...Object.keys(wanted)])) {
    if (found[name] !== wanted[name]) {
      throw new CheckpointError(
        `Expected ${name} ${found[name]}, as in the checkpoint ${path}, but received ${wanted[name]}: ` +
          'resume with the settings of the first run, or start anew without --resume',
      );
    }
  }
}

function cutShort(path: string): CheckpointError {
  return new CheckpointError(`Expected a whole checkpoint in ${path} but received a file cut short`);
}
