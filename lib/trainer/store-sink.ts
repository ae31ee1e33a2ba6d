/**
 * A store as the place of a tower's features: each chunk is written before the next one is encoded.
 *
 * Refuses stores with ids, since a chunk has none, and writers that take no more rows.
 */

import { codedError } from '../errors';
import type { Features } from '../matrix/features';
import { checkOpen, isStoreWriter, type StoreWriter } from '../store/store-writer';
import * as check from '../validate';
import type { FeatureSink } from './encode-chunks';

export class StoreSink implements FeatureSink {
  rows = 0;
  readonly #writer: StoreWriter;

  constructor(writer: StoreWriter) {
    this.#writer = writer;
  }

  async append(features: unknown): Promise<void> {
    const [before] = this.#writer.shape;
    await this.#writer.append(features as Features);
    this.rows += this.#writer.shape[0] - before;
  }
}

/** Throws ERR_TYPE, ERR_OPTION, ERR_STORE or ERR_DISPOSED. */
export function readStore(name: string, value: unknown): StoreWriter {
  if (!isStoreWriter(value)) {
    const hint = '; await FeatureStore.create(path, { dim }) makes one';
    throw check.invalid('ERR_TYPE', name, 'writer of a store', value, hint);
  }
  checkOpen(value);
  if (value.ids) {
    throw codedError(
      'ERR_OPTION',
      `Expected a store without ids for ${name}, as chunks have none: call its append with features and ids yourself`,
    );
  }
  return value;
}
