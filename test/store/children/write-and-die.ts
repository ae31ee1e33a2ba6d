/**
 * Writes a store, and is killed by SIGKILL at one of its calls of the system: right after that call, or in the middle
 * of it where it is a write. Nothing in the product knows of this: the functions of node:fs/promises are
 * replaced before the first call. Without `killAt`, prints the calls in their order.
 */
import fs, { type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { createStoreWriter } from '../../../lib/store/store-writer';

export interface Order {
  path: string;
  /** Number of the call, from 1 on; 0 for none. */
  killAt: number;
  torn: boolean;
  /** Options of the writer, but for overwrite. */
  options: { dim: number; rows?: number; ids?: boolean };
}

export interface Trace {
  calls: string[];
}

/** Appends of the writer: each value is in all elements of as many rows. */
export const appends = [
  { rows: 2, value: 1 },
  { rows: 300, value: 2 },
  { rows: 1, value: 3 },
];

type Step = (...args: never[]) => Promise<unknown>;

/** Null in the test, which imports the types and the appends. */
const order = require.main === module ? (JSON.parse(process.argv[2]!) as Order) : null;
const calls: string[] = [];

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** The same function, which is counted. */
function counted(name: string, step: Step, torn: (...args: never[]) => Promise<unknown>): Step {
  return async (...args) => {
    calls.push(name);
    const last = calls.length === order!.killAt;
    if (last && order!.torn) {
      await torn(...args);
      die();
    }
    const result = await step(...args);
    if (last) die();
    return result;
  };
}

const nothing = async () => {};

function wrap(handle: FileHandle, name: string): FileHandle {
  const methods = ['write', 'truncate', 'sync', 'close'] as const;
  for (const method of methods) {
    const original = handle[method].bind(handle) as Step;
    const half = (bytes: Uint8Array, offset: number, length: number, position: number) =>
      (original as unknown as FileHandle['write'])(bytes, offset, Math.floor(length / 2), position);
    const torn = method === 'write' ? (half as Step) : nothing;
    Object.defineProperty(handle, method, { value: counted(`${method} ${name}`, original, torn) });
  }
  return handle;
}

async function run({ path, options }: Order): Promise<void> {
  const { open, rename } = fs;
  Object.assign(fs, {
    open: counted(
      'open',
      (async (...args: Parameters<typeof open>) =>
        wrap(await open(...args), basename(String(args[0])))) as Step,
      nothing,
    ),
    rename: counted('rename', rename as Step, nothing),
  });
  const writer = await createStoreWriter(path, { ...options, overwrite: true });
  for (const { rows, value } of appends) {
    const features = { data: new Float32Array(rows * options.dim).fill(value), shape: [rows, options.dim] };
    await writer.append(features, options.ids ? { ids: new Int32Array(rows).fill(value) } : {});
  }
  await writer.commit();
  console.log(JSON.stringify({ calls } satisfies Trace));
}

if (order !== null) void run(order);
