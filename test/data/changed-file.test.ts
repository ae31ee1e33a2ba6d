/** What is no file, and files that change after they were opened: refused, and named. */

import { appendFileSync, mkdirSync, renameSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { openDataset } from '../../lib/data';
import { expectError } from '../lib/fake-binding';
import { freePath, makeFile, rejection } from './files';
import { noHeader } from './refuse-table';

describe('what is no file', () => {
  it('a missing file is an error of the file system, as it is', async () => {
    const error = (await rejection(openDataset(freePath('none.tsv'), noHeader))) as NodeJS.ErrnoException;
    expect(error.code).toBe('ENOENT');
  });

  it('a folder is refused', async () => {
    const path = freePath('folder.tsv');
    mkdirSync(path);
    expectError((await rejection(openDataset(path, noHeader))) as never, {
      type: Error,
      code: 'ERR_DATA',
      message: /^Expected a regular file but .* is a folder/,
    });
  });
});

describe('a file that has changed since', () => {
  const content = 'a\tb\nc\td\n';
  const changes: Record<string, (path: string) => void> = {
    longer: (path) => appendFileSync(path, 'e\tf\n'),
    shorter: (path) => truncateSync(path, 4),
    'of equal length, written later': (path) => {
      writeFileSync(path, content.toUpperCase());
      utimesSync(path, new Date(), new Date(Date.now() + 5000));
    },
    replaced: (path) => {
      const other = makeFile('tsv', content);
      renameSync(other, path);
    },
  };

  it.each(Object.entries(changes))('%s: refused, and named', async (_, change) => {
    const path = makeFile('tsv', content);
    const dataset = await openDataset(path, noHeader);
    expect((await dataset.read([1])).queries).toEqual(['c']);
    change(path);
    const error = (await rejection(dataset.read([1]))) as Error;
    expectError(error as never, {
      type: Error,
      code: 'ERR_DATA',
      message: /the file has changed since openDataset read it/,
    });
    expect(error.message).toContain(path);
  });
});
