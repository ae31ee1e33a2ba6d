/**
 * `topK` beside the loss alone of the same shape, which has the same product, beside that product alone, and beside
 * exact searches that run in Node today.
 */
import { type BenchCase, type BenchContext, rowOrSkip, threadCounts } from '../bench-case.js';
import { duelOf, timedAfterRest } from '../duel.js';
import type { EngineAnswer } from '../engine.js';
import type { LineProcess } from '../line-process.js';
import { mebibyte } from '../memory.js';
import { race, requireResidentMemory, rowOf } from '../node-race.js';
import type { Row } from '../report.js';
import type { Growth } from '../resident.js';
import {
  type SearchCall,
  type SearchPeer,
  type SearchShape,
  startOnnxSearch,
  startSearch,
  startUsearch,
} from '../search.js';
import { median, spread } from '../statistics.js';
import { startProduct } from '../yardsticks.js';

const shapeOf = ({ quick }: BenchContext): SearchShape =>
  quick ? { queries: 256, keys: 3000, dim: 64 } : { queries: 2048, keys: 100_000, dim: 256 };
const roundsOf = ({ quick }: BenchContext) => (quick ? 2 : 11);
/** Queries of one product of a peer. */
const blockRowsOf = ({ quick }: BenchContext) => (quick ? 128 : 512);

const labelOf = ({ queries, keys, dim }: SearchShape, k: number) =>
  `M ${queries}, N ${keys}, D ${dim}, k ${k}`;

/** Peak memory of the first calls, in a process of its own. */
async function growthOf(shape: SearchShape, first: SearchCall): Promise<number> {
  const child = await startSearch({ ...shape, first });
  await child.stop();
  return (JSON.parse(child.greeting) as Growth).laterBytes / mebibyte;
}

/** Ours between two calls of the other kind, in one process. */
async function alternate(child: LineProcess, ours: SearchCall, other: SearchCall, rounds: number) {
  const ask = async (call: SearchCall) => (await timedAfterRest<EngineAnswer>(child, call)).seconds;
  const [ourSeconds, otherSeconds, ratios]: number[][] = [[], [await ask(other)], []];
  for (let round = 0; round < rounds; round++) {
    ourSeconds.push(await ask(ours));
    otherSeconds.push(await ask(other));
    ratios.push(ourSeconds[round] / ((otherSeconds[round] + otherSeconds[round + 1]) / 2));
  }
  return {
    ours: median(ourSeconds),
    other: median(otherSeconds),
    ratio: median(ratios),
    noise: spread(ratios),
  };
}

async function besideLoss(context: BenchContext, k: number, threads: number): Promise<Row> {
  requireResidentMemory();
  const shape = shapeOf(context);
  const [search, loss]: SearchCall[] = [{ k, threads }, { threads }];
  const child = await startSearch({ ...shape, first: search });
  const { ours, other, ratio, noise } = await alternate(child, search, loss, roundsOf(context));
  await child.stop();
  return {
    label: `${labelOf(shape, k)}, beside the loss alone`,
    cells: {
      threads,
      'ours s': ours,
      'other s': other,
      ratio,
      '± ratio': ratio * noise,
      'ours MiB': await growthOf(shape, search),
      'other MiB': await growthOf(shape, loss),
    },
    targets: k === 10 ? [{ what: 'ratio', value: ratio, limit: 1.25, direction: 'atMost' }] : [],
  };
}

async function besideProduct(context: BenchContext, k: number, threads: number): Promise<Row> {
  const shape = shapeOf(context);
  const [blockRows, call] = [blockRowsOf(context), { k, threads }];
  const contestants = {
    ours: startSearch({ ...shape, first: call }),
    theirs: startProduct(shape, threads, blockRows),
  };
  const { ours, theirs, ratio, ratioSpread } = await duelOf(contestants, call, roundsOf(context));
  return {
    label: `${labelOf(shape, k)}, beside the product alone in blocks of ${blockRows}, OpenBLAS`,
    cells: { threads, 'ours s': ours, 'other s': theirs, ratio, '± ratio': ratio * ratioSpread },
  };
}

const topKCase: BenchCase = {
  name: 'top-k',
  title: 'The best k keys of each query, beside the loss alone and the product alone',
  async *run(context) {
    for (const threads of threadCounts(context, [2])) {
      for (const k of [10, 100]) {
        yield* rowOrSkip(context, `k ${k}, beside the loss`, () => besideLoss(context, k, threads));
      }
      yield* rowOrSkip(context, 'k 10, beside the product', () => besideProduct(context, 10, threads));
    }
  },
};

interface Peer {
  name: string;
  queries: number;
  start(peer: SearchPeer): Promise<LineProcess>;
}

async function besidePeer(context: BenchContext, { name, queries, start }: Peer, k: number): Promise<Row> {
  const threads = 2;
  const shape = { ...shapeOf(context), queries };
  const call: SearchCall = { k, threads };
  const outcome = await race({
    ours: () => startSearch({ ...shape, first: call }),
    theirs: () => start({ ...shape, k, threads, blockRows: blockRowsOf(context) }),
    request: call,
    rounds: context.quick ? 2 : 9,
  });
  return rowOf(`${labelOf(shape, k)}, ${name}`, outcome);
}

const peersCase: BenchCase = {
  name: 'top-k-peers',
  title: 'The best k keys of each query, beside exact searches in Node, same number of threads',
  async *run(context) {
    const { queries } = shapeOf(context);
    const blockRows = blockRowsOf(context);
    const peers: Peer[] = [
      { name: `ONNX Runtime, Gemm + TopK in blocks of ${blockRows}`, queries, start: startOnnxSearch },
      // 16 bytes for each pair: all queries would take 3 GiB
      { name: 'usearch, exactSearch', queries: queries / 4, start: startUsearch },
    ];
    if (threadCounts(context, [2]).length === 0) return;
    for (const peer of peers) {
      for (const k of [10, 100]) {
        yield* rowOrSkip(context, `${peer.name}, k ${k}`, () => besidePeer(context, peer, k));
      }
    }
  },
};

export const topKCases: BenchCase[] = [topKCase, peersCase];
