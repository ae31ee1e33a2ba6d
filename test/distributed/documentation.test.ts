/**
 * The pages of ranks against the code: their examples run as they stand, on one rank over a stand-in for an MPI library.
 * scripts/mpi.mjs runs them under real launchers.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { examplesOf, lossesIn, outputOf } from '../lib/examples';

const root = join(__dirname, '..', '..');
const pages = ['docs/distributed.md', 'docs/training-on-ranks.md'];
const [sum, training, ...others] = pages.flatMap(examplesOf).map(({ code }) => code);

(process.platform === 'win32' ? describe.skip : describe)('the examples', () => {
  const before = process.env.INFCL_MPI_LIBRARY;
  beforeAll(() => {
    process.env.INFCL_MPI_LIBRARY = join(root, 'build', 'fake_mpi', 'libfake_mpich.so');
  });
  afterAll(() => {
    if (before === undefined) delete process.env.INFCL_MPI_LIBRARY;
    else process.env.INFCL_MPI_LIBRARY = before;
  });

  it('are two', () => expect(others).toEqual([]));

  it('the first one adds up', async () => {
    expect(await outputOf(sum!)).toBe('rank 0 of 1: the sum is 1\n');
  });

  it('the loss of the training falls', async () => {
    const losses = lossesIn(await outputOf(training!));
    expect(losses).toHaveLength(3);
    expect(losses[2]).toBeLessThan(losses[0]!);
  });
});

/** Words that programs do not fill in, from the first column of the table of texts. */
it('the texts of "Troubleshooting" are those of the code', () => {
  const text = readFileSync(join(root, 'docs/rank-failures.md'), 'utf8').split('## Troubleshooting')[1]!;
  const sources = ['library_posix.cpp', 'find.cpp', 'mpi_wire.h', 'group.cpp', 'enquiry.cpp']
    .map((file) => readFileSync(join(root, 'csrc/comm/mpi', file), 'utf8'))
    .join()
    .replace(/"\s*\n\s*"/g, '');
  const agreement = readFileSync(join(root, 'csrc/core/field_agreement.cpp'), 'utf8');
  const rows = [...text.matchAll(/^\| (.+?) \| /gm)].map(([, first]) => first!);
  const own = rows.filter((row) => !/^(text|---)$|\(from /.test(row));
  expect(own.length).toBeGreaterThan(5);
  for (const row of own) {
    const pieces = row.split(/…|\d+|values\.length/).map((piece) => piece.trim());
    for (const piece of pieces.filter((one) => /\w \w/.test(one))) {
      expect(`${sources}${agreement}`).toContain(piece.replace(/ rank$/, ''));
    }
  }
});
