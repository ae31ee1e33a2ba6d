/** What the oracle may be asked: the options of the public API that change a number, by the same names. */
import type { DenseMatrix } from './similarities';

export type ObjectiveName = 'clip' | 'infonce' | 'ntxent' | 'supcon' | 'siglip';
export type DirectionName = 'queryToKey' | 'keyToQuery' | 'queryToQuery' | 'keyToKey';

/** List i is `keys` from offsets[i] to before offsets[i + 1]. */
export interface DenseLists {
  offsets: ArrayLike<number>;
  keys: ArrayLike<number>;
}

export interface DenseOptions {
  objective?: ObjectiveName;
  /** The multiplier s itself; default 1/0.07. */
  logitScale?: number;
  /** siglip: c; default -10. */
  logitBias?: number;
  /**
   * infonce: key index of each query's positive, default i; or, as in clip, lists of positives. supcon: class of each
   * query, and of the key beside it.
   */
  labels?: ArrayLike<number> | DenseLists;
  queryIds?: ArrayLike<number>;
  keyIds?: ArrayLike<number>;
  /** Keys that do not count against their query, nor it against them. */
  excludePairs?: DenseLists;
  falseNegativeMargin?: number;
  guide?: {
    queries: DenseMatrix;
    keys: DenseMatrix;
    hardNegatives?: DenseMatrix;
    margin?: number;
    relative?: boolean;
  };
  teacher?: { queries: DenseMatrix; keys: DenseMatrix; logitScale: number; weight: number };
  /** As many of each query, or those from offsets[i] to before offsets[i + 1]. */
  hardNegatives?: {
    keys: DenseMatrix;
    perQuery?: number;
    offsets?: ArrayLike<number>;
    ids?: ArrayLike<number>;
  };
  directions?: readonly DirectionName[];
  partition?: 'joint' | 'perDirection';
  labelSmoothing?: number;
  queryWeights?: ArrayLike<number>;
  hardness?: { strength: number; on: 'inBatch' | 'hard' | 'all' };
  /**
   * Not of the public API, for finite differences: the features whose similarities `hardness` weighs by. Its weights
   * carry no gradient, so a slope is only a slope of the loss while they stay what they are.
   */
  hardnessAt?: { queries: DenseMatrix; keys: DenseMatrix; hardNegatives?: DenseMatrix };
}
