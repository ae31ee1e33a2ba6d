/**
 * Reads a file once, from its begin to its end: checks every row, and notes where each row begins.
 *
 * Refuses to keep texts: the memory is 8 bytes a row, and some blocks of a mebibyte.
 */

import { crc32 } from 'node:zlib';
import { type Columns, namedColumns, numberedColumns, type WantedColumns } from './columns';
import { dataError } from './data-error';
import type { CheckedDatasetOptions } from './dataset-options';
import { type FileIdentity, withFile } from './file-identity';
import { pickColumns } from './parse-rows';
import { readRecords } from './records';
import { isFieldList, type Row } from './row-format';
import { RowOffsets } from './row-offsets';

export interface FileIndex {
  identity: FileIdentity;
  offsets: RowOffsets;
  columns: Columns;
  /** CRC-32 of all bytes, by which a saved position knows its file. */
  checksum: number;
}

/** Row numbers are 32-bit integers. */
const mostRows = 2 ** 31 - 1;

/** Rejects with ERR_DATA, with `signal.reason`, and with errors of the file system as they are. */
export async function indexFile(options: CheckedDatasetOptions): Promise<FileIndex> {
  const { path, format, header, wanted, signal } = options;
  return withFile(path, undefined, async (file, identity) => {
    const offsets = new RowOffsets();
    let checksum = 0;
    let columns: Columns | undefined;
    const onBytes = (bytes: Buffer) => {
      checksum = crc32(bytes, checksum);
    };
    for await (const records of readRecords({ file, path, quoted: format.quoted, signal, onBytes })) {
      const rows = format.parse(records);
      const first = columns === undefined && header ? 1 : 0;
      columns ??= firstColumns(records.where(0), rows[0]!, header, wanted);
      for (let i = first; i < rows.length; i++) {
        if (offsets.rows === mostRows) throw dataError(records.where(i), `Expected at most ${mostRows} rows`);
        pickColumns(records.where(i), rows[i]!, columns);
        offsets.push(records.offset + records.begins[i]!);
      }
    }
    if (columns === undefined || offsets.rows === 0) {
      throw dataError(path, 'Expected rows but the file has none');
    }
    offsets.close(Number(identity.size));
    return { identity, offsets, columns, checksum };
  });
}

function firstColumns(where: string, row: Row, header: boolean, wanted: WantedColumns): Columns {
  if (!isFieldList(row)) return namedColumns(where, Object.keys(row), wanted, true);
  return header
    ? namedColumns(where, row as string[], wanted, false)
    : numberedColumns(where, row.length, wanted);
}
