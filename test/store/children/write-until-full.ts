/**
 * Appends to a store until the system refuses, then makes room and goes on. Prints what happened. The caller limits
 * the room: a small file system, or the greatest length of a file.
 */
import { readFileSync, rmSync } from 'node:fs';
import { createStoreWriter } from '../../../lib/store/store-writer';

export interface FullOrder {
  path: string;
  dim: number;
  rowsOfAppend: number;
  /** A file that takes room, to be removed after the first error; null for none. */
  ballast: string | null;
  /** Announced rows; null for none. */
  rows: number | null;
}

export interface FullAnswer {
  /** Code, message, and the code of the cause. */
  error: string[];
  /** Rows before and after the append that failed. */
  before: number;
  after: number;
  /** Rows of the committed file by its length, and the rows whose elements are wrong. */
  committed: number | null;
  wrong: number;
}

const errorOf = (error: unknown) => {
  const { code, message, cause } = error as { code: string; message: string; cause?: { code?: string } };
  return [code, message, cause?.code ?? ''];
};

async function run({ path, dim, rowsOfAppend, ballast, rows }: FullOrder): Promise<FullAnswer> {
  const answer: FullAnswer = { error: [], before: 0, after: 0, committed: null, wrong: 0 };
  const writer = await createStoreWriter(path, rows === null ? { dim } : { dim, rows }).catch((error) => {
    answer.error = errorOf(error);
    return null;
  });
  if (writer === null) return answer;
  const append = () => {
    const first = writer.shape[0];
    const data = Float32Array.from({ length: rowsOfAppend * dim }, (_, i) => first + Math.floor(i / dim));
    return writer.append({ data, shape: [rowsOfAppend, dim] });
  };
  while (answer.error.length === 0) {
    answer.before = writer.shape[0];
    await append().catch((error) => {
      answer.error = errorOf(error);
    });
  }
  answer.after = writer.shape[0];
  if (ballast !== null) {
    rmSync(ballast);
    await append();
  }
  await writer.commit();
  const bytes = readFileSync(path);
  answer.committed = (bytes.length - 4096) / (4 * dim);
  for (let row = 0; row < answer.committed; row++) {
    if (bytes.readFloatLE(4096 + 4 * dim * row) !== row) answer.wrong += 1;
  }
  return answer;
}

void run(JSON.parse(process.argv[2]!)).then((answer) => console.log(JSON.stringify(answer)));
