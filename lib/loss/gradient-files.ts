/**
 * The gradients of one call that go to files: writers of stores, filled by native code and committed by the
 * caller. Each writer serves one call at a time.
 *
 * Refuses writers whose shape or element type differs from those of the gradient. Never commits: only the caller
 * knows whether all parts of its work succeeded.
 */

import { callNative, codedError, isInfclError } from '../errors';
import type { MappingHandle, NativeBinding, NativeMappedMatrix } from '../native/binding';
import type { StoreFill } from '../store/store-fill';
import { beginFill, type StoreWriter } from '../store/store-writer';
import type { NamedMemory } from './call-memory';
import type { GradientName } from './wanted-gradients';

interface GradientFile {
  name: GradientName;
  writer: StoreWriter;
  fill: StoreFill;
}

export class GradientFiles {
  readonly #files: GradientFile[] = [];
  readonly #mappings: MappingHandle[] = [];
  #binding: NativeBinding | undefined;

  /**
   * Takes the writer until `end`. Throws ERR_SHAPE or ERR_DTYPE for a file that the gradient does not fit, and
   * ERR_STORE or ERR_DISPOSED for a writer that cannot take a gradient.
   */
  add(name: GradientName, writer: StoreWriter, [rows, dim]: readonly [number, number]): void {
    const where = `options.out.${name}`;
    const fill = beginFill(where, writer);
    try {
      if (fill.rows !== rows || fill.dim !== dim) {
        const received = `[${fill.rows}, ${fill.dim}]`;
        throw codedError('ERR_SHAPE', `Expected [${rows}, ${dim}] for ${where} but received ${received}`);
      }
      if (fill.dtype !== 'float32') {
        throw codedError('ERR_DTYPE', `Expected float32 for ${where}.dtype but received ${fill.dtype}`);
      }
    } catch (error) {
      fill.failed();
      throw error;
    }
    this.#files.push({ name, writer, fill });
  }

  /** Maps the files. The memory is that of the request, by the name of the gradient. Throws ERR_STORE. */
  open(binding: NativeBinding): {
    outputs: Partial<Record<GradientName, NativeMappedMatrix>>;
    memory: NamedMemory[];
  } {
    this.#binding = binding;
    const opened = this.#files.map(({ name, fill: { path, offset, rows, dim } }) => {
      const bytes = rows * dim * 4;
      const data = callNative(() =>
        binding.openMapping({ path, offset, bytes, writable: true, expected: null }),
      );
      this.#mappings.push(data);
      const matrix = { data, dtype: 'float32', rows, dim, rowStride: dim, device: undefined } as const;
      return { name, matrix };
    });
    return {
      outputs: Object.fromEntries(opened.map(({ name, matrix }) => [name, matrix])),
      memory: opened.map(({ name, matrix }): NamedMemory => [`options.out.${name}`, matrix]),
    };
  }

  /** After the call. Throws ERR_DISPOSED where the caller has given up a file meanwhile. */
  verify(): void {
    const lost = this.#files.find(({ writer }) => writer.disposed);
    if (lost !== undefined) throw disposedError(lost);
  }

  /** The error of the call, or a better one: a file that its writer removed is missing for the native side. */
  explain(error: unknown): unknown {
    const lost = this.#files.find(({ writer }) => writer.disposed);
    const isOfFile = isInfclError(error) && error.code === 'ERR_STORE';
    return lost !== undefined && isOfFile ? disposedError(lost, error) : error;
  }

  /** Gives the files back to their writers: with all gradients, or with any content. May be repeated. */
  end(done: boolean): void {
    for (const mapping of this.#mappings.splice(0)) this.#binding!.releaseMapping(mapping);
    for (const { fill } of this.#files.splice(0)) {
      if (done) fill.done();
      else fill.failed();
    }
  }
}

const disposedError = ({ name }: GradientFile, cause?: unknown) =>
  codedError('ERR_DISPOSED', `The store of options.out.${name} was disposed of while the call ran`, cause);
