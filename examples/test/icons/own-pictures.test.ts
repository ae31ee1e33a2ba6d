/** A folder of one's own pictures: captions, the part that is held out, and what is refused. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { UsageError } from '../../src/errors.js';
import { ownCollection, picturesIn } from '../../src/icons/data/own-pictures.js';
import { imagePixels } from '../../src/icons/data/render.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'infcl-pictures-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (...names: string[]) => {
  for (const name of names) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), 'picture');
  }
};

/** Ink that differs from file to file, in every part of the picture. */
const draw = async (path: string) => {
  const number = Number(/\d+/.exec(basename(path))?.[0] ?? 0);
  const ink = Uint8Array.from({ length: imagePixels }, (_, i) => ((number + 1) * (i + 7) * 2_654_435) % 256);
  return { ink, body: `<image href="${number}"/>` };
};

test('captions are the words of names, or those of captions.tsv', () => {
  put('Black_Cat 2.PNG', 'animals/dog.jpg', 'animals/x1.webp', 'notes.txt', '---.png', '7.svg');
  writeFileSync(join(folder, 'captions.tsv'), 'animals/x1.webp\tA Grey Fox\r\n\n7.svg\t!\n');
  expect(picturesIn(folder)).toEqual([
    { file: 'Black_Cat 2.PNG', caption: 'black cat' },
    { file: 'animals/dog.jpg', caption: 'dog' },
    { file: 'animals/x1.webp', caption: 'a grey fox' },
  ]);
});

test('a tenth is held out, by the seed, and never trains', async () => {
  put(...Array.from({ length: 80 }, (_, i) => `thing ${i}.png`));
  const first = await ownCollection(folder, 1, draw);
  expect(first.unseen).toHaveLength(8);
  expect(first.train.length + first.copies).toBe(72);
  expect(first.train.length).toBeGreaterThan(60);
  const names = ({ icons, unseen }: typeof first) => Array.from(unseen, (icon) => icons[icon]!.name);
  const trained = new Set(Array.from(first.train, (icon) => first.icons[icon]!.name));
  for (const name of names(first)) expect(trained.has(name)).toBe(false);
  expect(names(await ownCollection(folder, 1, draw))).toEqual(names(first));
  expect(names(await ownCollection(folder, 2, draw))).not.toEqual(names(first));
});

describe('what is refused', () => {
  test('too few pictures', async () => {
    put('cat.png', 'dog.png');
    await expect(ownCollection(folder, 0, draw)).rejects.toThrow(
      `Expected at least 64 pictures with captions below ${folder} for --data but found 2`,
    );
  });

  test('a picture that cannot be read, by its name', async () => {
    put(...Array.from({ length: 64 }, (_, i) => `p ${i}.png`));
    const failing = async (path: string) => {
      if (path.endsWith('p 5.png')) throw new Error('unsupported image format');
      return draw(path);
    };
    const run = ownCollection(folder, 0, failing);
    await expect(run).rejects.toThrow(UsageError);
    await expect(run).rejects.toThrow(
      `Cannot read the picture ${join(folder, 'p 5.png')}: unsupported image format`,
    );
  });

  test('captions.tsv of another form, by its line', () => {
    put('cat.png');
    writeFileSync(join(folder, 'captions.tsv'), 'cat.png\ta cat\ncat.png a dog\n');
    expect(() => picturesIn(folder)).toThrow('in line 2 of');
  });

  test('a folder that is a file, or is not there', () => {
    put('file');
    expect(() => picturesIn(join(folder, 'file'))).toThrow('is a file');
    expect(() => picturesIn(join(folder, 'none'))).toThrow('no such file or directory (ENOENT)');
  });
});
