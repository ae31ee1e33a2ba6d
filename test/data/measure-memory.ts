/**
 * Prints, as one line of JSON, how far opening a data set and drawing batches raise the peak resident memory of this
 * process. Run it in a process of its own: node -r test/child/register-typescript.cjs measure-memory.ts '{"path":...}'.
 * Linux only, because it is the kernel that resets (/proc/self/clear_refs) and keeps (VmHWM) the peak.
 */
import { writeFileSync } from 'node:fs';
import { openDataset, textBatches } from '../../lib/data';
import { statusBytes } from '../memory/status-bytes';

export interface MemoryRequest {
  path: string;
  batchSize: number;
  batches: number;
}

export interface MemoryAnswer {
  rows: number;
  /** Peak since the begin minus resident memory at the begin. */
  growthBytes: number;
  /** Time of the processor, which waiting for other programs does not lengthen. */
  openSeconds: number;
  batchSeconds: number;
  texts: number;
}

const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function measure({ path, batchSize, batches }: MemoryRequest): Promise<MemoryAnswer> {
  writeFileSync('/proc/self/clear_refs', '5'); // VmHWM = VmRSS from here on
  const before = statusBytes('VmRSS');
  const began = processorSeconds();
  const dataset = await openDataset(path);
  const opened = processorSeconds();
  let texts = 0;
  let drawn = 0;
  for await (const { queries, keys } of textBatches(dataset, { batchSize, noDuplicates: true })) {
    texts += queries.length + keys.length;
    if (++drawn === batches) break;
  }
  return {
    rows: dataset.rows,
    growthBytes: statusBytes('VmHWM') - before,
    openSeconds: opened - began,
    batchSeconds: processorSeconds() - opened,
    texts,
  };
}

measure(JSON.parse(process.argv[2]!) as MemoryRequest).then((answer) => console.log(JSON.stringify(answer)));
