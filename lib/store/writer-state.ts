/**
 * The life of a writer: open, then committed or disposed of, one call at a time. The temporary file is closed when
 * nothing follows, and never while a call uses it.
 *
 * Refuses to know what calls do: `store-writer.ts` does.
 */

import { codedError } from '../errors';
import { type TemporaryFile, writeError } from './temporary-file';

/** `broken`: the system failed to make bytes durable, so nobody knows what is on the disk. */
type State = 'open' | 'committed' | 'broken' | 'disposed';

export class WriterState {
  readonly #file: TemporaryFile;
  #state: State = 'open';
  /** Name of the call that runs, for messages, and a promise of its end. */
  #running: { name: string; ended: Promise<void> } | null = null;
  #closed: Promise<void> = Promise.resolve();

  constructor(file: TemporaryFile) {
    this.#file = file;
  }

  get committed(): boolean {
    return this.#state === 'committed';
  }

  get disposed(): boolean {
    return this.#state === 'disposed';
  }

  /** Runs the work of a call, unless another one runs. Rejects with ERR_DISPOSED, ERR_STORE, or as the work. */
  async run(name: string, work: () => Promise<void>): Promise<void> {
    const end = this.begin(name);
    try {
      await work();
    } catch (error) {
      // whatever failed, failed because the file is gone
      if (this.disposed) throw disposedError(error);
      throw error;
    } finally {
      await end();
    }
  }

  /** Throws ERR_DISPOSED or ERR_STORE where no call of this name may begin. */
  checkIdle(name: string): void {
    this.refuseDisposed();
    if (this.committed) {
      this.refuse(`it was committed, and a committed file never changes; ${name} belongs to a new store`);
    }
    if (this.#state === 'broken') {
      this.refuse('a commit could not make the file durable; dispose of this writer and write again');
    }
    if (this.#running !== null) this.refuse(`${this.#running.name} still runs; await it before ${name}`);
  }

  /** Throws ERR_DISPOSED or ERR_STORE. Returns the function to call when the work has ended. */
  begin(name: string): () => Promise<void> {
    this.checkIdle(name);
    let settle = () => {};
    const ended = new Promise<void>((resolve) => {
      settle = resolve;
    });
    this.#running = { name, ended };
    return async () => {
      this.#running = null;
      if (this.committed || this.disposed) this.#close();
      await this.#closed;
      settle();
    };
  }

  /** The file has its name: from now on nothing changes it. */
  markCommitted(): void {
    this.#state = 'committed';
  }

  /** Linux forgets the pages that it could not write: another sync would succeed without them. */
  markBroken(): void {
    if (this.#state === 'open') this.#state = 'broken';
  }

  /** Removes the temporary file at once, and closes it when no call uses it. Throws ERR_STORE. */
  dispose(): void {
    if (this.committed || this.disposed) return;
    this.#state = 'disposed';
    if (this.#running === null) this.#close();
    this.#file.remove();
  }

  /** Settles when the running call, if any, has ended and the file is closed. */
  async ended(): Promise<void> {
    await (this.#running?.ended ?? this.#closed);
  }

  refuseDisposed(): void {
    if (this.disposed) throw disposedError();
  }

  /** Throws ERR_STORE. */
  refuse(problem: string): never {
    throw writeError(this.#file.target, problem);
  }

  /** The bytes are on the disk, or nobody wants them: an error has nothing to tell. */
  #close(): void {
    this.#closed = this.#file.close().catch(() => {});
  }
}

const disposedError = (cause?: unknown) =>
  codedError('ERR_DISPOSED', 'Expected the store not to be disposed of but it was', cause);
