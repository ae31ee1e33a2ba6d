/** A batch in shards, and a call of it on ranks that are threads of this process. */

import { type AnyContrastiveOptions, contrastiveLossAndGrad, type LossAndGradResult } from '../../lib';
import { type ProcessGroup, threadGroups } from '../../lib/distributed';
import type { FloatMatrix } from '../reference/inputs';

/** Options of a call, whose arrays along the rows are those of the whole batch. */
export type BatchOptions = Omit<AnyContrastiveOptions, 'group' | 'hardNegatives' | 'labels'> & {
  labels?: Int32Array;
};

/** Rows from `begin` to before `end`, in the memory of the matrix. */
export function rowsOf(matrix: FloatMatrix, begin: number, end: number) {
  const [, dim] = matrix.shape;
  return { data: matrix.data.subarray(begin * dim!, end * dim!), shape: [end - begin, dim!] as const };
}

/** First rows of uneven shards, and the number of all rows. */
export function cutsOf(rows: number, ranks: number): number[] {
  return Array.from({ length: ranks + 1 }, (_, r) =>
    Math.floor((rows * r * (r + 1)) / (ranks * (ranks + 1))),
  );
}

const perQuery = ['labels', 'queryIds', 'queryWeights'] as const;

/** The same options for the rows of one shard. */
export function optionsOf(options: BatchOptions, begin: number, end: number): BatchOptions {
  const own: Record<string, unknown> = { ...options };
  for (const name of perQuery) own[name] = options[name]?.slice(begin, end);
  own.keyIds = options.keyIds?.slice(begin, end);
  return own as BatchOptions;
}

/** Calls f(group, rank) on every rank, and closes the groups. */
export async function onRanks<T>(
  ranks: number,
  f: (group: ProcessGroup, rank: number) => Promise<T>,
): Promise<T[]> {
  const groups = threadGroups(ranks);
  try {
    return await Promise.all(groups.map((group) => f(group, group.rank)));
  } finally {
    await Promise.all(groups.map((group) => group.close()));
  }
}

/** The call of every rank on its shard of as many queries as keys. */
export function lossOnRanks(
  ranks: number,
  { queries, keys }: { queries: FloatMatrix; keys: FloatMatrix | null },
  options: BatchOptions = {},
): Promise<LossAndGradResult[]> {
  const cuts = cutsOf(queries.shape[0]!, ranks);
  return onRanks(ranks, (group, rank) => {
    const [begin, end] = [cuts[rank]!, cuts[rank + 1]!];
    return contrastiveLossAndGrad(rowsOf(queries, begin, end), keys && rowsOf(keys, begin, end), {
      ...optionsOf(options, begin, end),
      threads: 1,
      group,
    } as AnyContrastiveOptions);
  });
}
