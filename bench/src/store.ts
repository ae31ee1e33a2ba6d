/**
 * npm run bench:store: the time of a loss on a file of features, with the file in the cache of the system and
 * without it. Linux only: the kernel counts the bytes that come from storage, and `dd` drops a file from the
 * cache. Compares with nothing and has no target.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { contrastiveLossAndGrad, FeatureStore } from 'infcl';
import { unitRows } from './unit-rows.js';

const help = `npm run bench:store -- [--gib <number>] [--queries <number>] [--rounds <number>] [--folder <path>]

  --gib      size of the file, default 2
  --queries  rows on the other side, default 448: one row of tiles, so each pass reads the file once
  --rounds   cold and warm calls in turn, default 3
  --folder   where the file is made, and removed; default the folder for temporary files. A folder in memory (tmpfs)
             has no storage to read from

Run it on an otherwise idle machine. The keys are frozen: their gradients would be as large as the file.`;

const dim = 256;
const gibibyte = 2 ** 30;

function readOptions() {
  const { values } = parseArgs({
    options: {
      gib: { type: 'string', default: '2' },
      queries: { type: 'string', default: '448' },
      rounds: { type: 'string', default: '3' },
      folder: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    process.exit(0);
  }
  const [gib, queries, rounds] = [values.gib, values.queries, values.rounds].map(Number);
  if (!(gib > 0 && queries >= 1 && rounds >= 1)) {
    console.error(help);
    process.exit(2);
  }
  return { keys: Math.ceil((gib * gibibyte) / (4 * dim)), queries, rounds, folder: values.folder };
}

async function makeFile(path: string, keys: number): Promise<void> {
  const writer = await FeatureStore.create(path, { dim });
  const chunk = 65_536;
  for (let row = 0; row < keys; row += chunk) {
    const rows = Math.min(chunk, keys - row);
    await writer.append({ data: unitRows(rows, dim, row + 1), shape: [rows, dim] });
  }
  await writer.commit();
}

/** The file was committed, so none of its pages waits to be written, and the kernel can drop all of them. */
function dropFromCache(path: string): void {
  const { status, stderr } = spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`dd: ${stderr}`);
}

/** Bytes that this process caused the storage to read. */
function storageBytes(): number {
  return Number(/^read_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))![1]);
}

async function measure(path: string, { queries, keys }: { queries: number; keys: number }) {
  const side = { data: unitRows(queries, dim, 7), shape: [queries, dim] };
  const labels = Int32Array.from({ length: queries }, (_, i) => (i * 7919) % keys);
  using bank = await FeatureStore.open(path);
  const before = storageBytes();
  const { stats } = await contrastiveLossAndGrad(side, bank, {
    objective: 'infonce',
    labels,
    grad: { keys: false },
  });
  return { seconds: stats.seconds, gib: (storageBytes() - before) / gibibyte };
}

async function main(): Promise<void> {
  const { keys, queries, rounds, folder } = readOptions();
  const path = join(mkdtempSync(join(folder, 'infcl-bench-')), 'keys.safetensors');
  try {
    await makeFile(path, keys);
    const size = ((keys * dim * 4) / gibibyte).toFixed(2);
    const machine = `${cpus()[0].model}, ${availableParallelism()} processors, ${(totalmem() / gibibyte).toFixed(0)} GiB`;
    console.log(
      `${machine}\n${queries} queries, ${keys} frozen keys of ${dim} float32 in a file of ${size} GiB`,
    );
    for (let round = 0; round < rounds; round++) {
      dropFromCache(path);
      for (const state of ['cold', 'warm']) {
        const { seconds, gib } = await measure(path, { queries, keys });
        console.log(`${state}: ${seconds.toFixed(2)} s, ${gib.toFixed(2)} GiB from storage`);
      }
    }
  } finally {
    rmSync(join(path, '..'), { recursive: true, force: true });
  }
}

if (process.platform !== 'linux') {
  console.error(
    'npm run bench:store needs Linux: other systems do not count the bytes that come from storage',
  );
  process.exit(1);
}
await main();
