/** Public names of `infcl/data`. */

export type { BatchOptions, WeightedDataset } from './batch-options';
export type { BatchSettings } from './batch-settings';
export { type TextBatches, textBatches } from './batches';
export { type BatchTowers, batchTowers, type NegativesPlace, type TowerOptions, textChunks } from './chunks';
export { openDataset, type TextDataset } from './dataset';
export type { DatasetFormat, DatasetOptions } from './dataset-options';
export type { CsvParser, CsvParserOptions } from './format-csv';
export type { Mix } from './mix';
export type { BatchPosition, DatasetPosition } from './position';
export type { SamplerSettings, SamplerState } from './row-sampler';
export { type SplitDataset, type SplitOptions, splitDataset } from './split';
export type { BatchTexts, TextBatch } from './text-batch';
export { type PairIds, pairIds, textIds } from './text-ids';
export type { SavedQueue } from './waiting-rows';
