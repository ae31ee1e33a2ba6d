/**
 * What a reader of headers may do with a file: tell where the features are, all within the file, or refuse the file in
 * words. Complaints are texts; an empty list is a pass.
 *
 * Refuses to know how the file was made: rules here hold for every file.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { readLayoutOf } = require('../../../dist/store/read-header.js');
const { readError } = require('../../../dist/store/store-file.js');

/** A header may have 1 MiB; the magic numbers and lengths come on top. */
const mostAsked = 2 ** 20 + 64;
const mostMilliseconds = 2000;

/** Bytes in memory as a file that counts how much of it is read. */
function fileOf(bytes) {
  const file = {
    bytes: bytes.length,
    asked: 0,
    async read(begin, count) {
      file.asked += count;
      if (begin < 0 || begin + count > bytes.length)
        throw new Error(`read of ${count} bytes from ${begin} on`);
      return new Uint8Array(bytes.subarray(begin, begin + count));
    },
    refuse(problem, cause) {
      throw readError('memory', problem, cause);
    },
  };
  return file;
}

/** @returns {Promise<{ layout: object | null, reason: string, complaints: string[] }>} */
export async function judge(bytes, tensor) {
  const file = fileOf(bytes);
  const begin = process.cpuUsage();
  const complaints = [];
  let layout = null;
  let reason = 'read';
  try {
    layout = await readLayoutOf(file, tensor);
    complaints.push(...complaintsOf(layout, bytes));
  } catch (error) {
    reason = reasonOf(error);
    if (error?.code !== 'ERR_STORE') complaints.push(`not refused but thrown: ${error?.stack ?? error}`);
    else if (error.message.length > 1000) complaints.push(`${error.message.length} characters of message`);
    else if (/[\p{Cc}\p{Cs}]/u.test(error.message)) complaints.push('a message with control characters');
  }
  const { user, system } = process.cpuUsage(begin);
  if ((user + system) / 1000 > mostMilliseconds)
    complaints.push(`${(user + system) / 1000} ms of processor time`);
  if (file.asked > mostAsked) complaints.push(`${file.asked} bytes were read`);
  return { layout, reason, complaints };
}

/** The words of a refusal without what is in quotes and without numbers, to count kinds. */
function reasonOf(error) {
  const text = String(error?.message ?? error).replace(/^[^:]*: /, '');
  return text
    .replace(/'.*?'/gs, '…')
    .replace(/[\d.]+/g, 'N')
    .slice(0, 60);
}

function complaintsOf({ format, dtype, rows, dim, offset, ids }, { length }) {
  const complaints = [];
  const check = (holds, what) => {
    if (!holds)
      complaints.push(`${what}: ${JSON.stringify({ format, dtype, rows, dim, offset, ids, length })}`);
  };
  const size = { float32: 4, float16: 2, bfloat16: 2 }[dtype];
  check(['safetensors', 'npy'].includes(format) && size !== undefined, 'unknown format or dtype');
  check(Number.isSafeInteger(rows) && rows > 0 && Number.isSafeInteger(dim) && dim > 0, 'no shape');
  check(Number.isSafeInteger(offset) && offset >= 10 && offset % size === 0, 'no place for elements');
  const end = offset + rows * dim * size;
  check(end <= length, 'features beyond the file');
  if (format === 'npy') check(end === length && ids === null, 'a .npy file ends with its features');
  if (ids !== null) {
    check(ids.count === rows && ids.offset >= 10 && ids.offset + 4 * rows <= length, 'ids beyond the file');
    check(ids.offset >= end || ids.offset + 4 * rows <= offset, 'ids among the features');
  }
  return complaints;
}
