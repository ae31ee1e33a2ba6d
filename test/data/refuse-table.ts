/** One table form for files that openDataset refuses: ERR_DATA, which begins with the file and the line. */

import { parse } from 'csv-parse/sync';
import { type DatasetOptions, openDataset } from '../../lib/data';
import { expectError } from '../lib/fake-binding';
import { makeFile, rejection } from './files';

export const noHeader: DatasetOptions = { header: false };
export const header: DatasetOptions = { header: true };
export const csv: DatasetOptions = { header: false, parser: parse };

/** What the file has, its ending, its content, options, the line (0: none is named), and a part of the message. */
export type Refusal = [string, string, string | Uint8Array, DatasetOptions, number, string];

export function testRefusals(refusals: Refusal[]): void {
  it.each(refusals)('refuses %s', async (_, ending, content, options, line, message) => {
    const path = makeFile(ending, content);
    const error: Error = await rejection(openDataset(path, options));
    expectError(error as never, { type: Error, code: 'ERR_DATA', message: /./ });
    expect(error.message).toContain(message);
    expect(error.message.startsWith(line === 0 ? `${path}: ` : `${path}:${line}: `)).toBe(true);
  });
}
