/**
 * The search gives the oracle's results on every instruction set of this machine. One that the machine lacks is
 * reported as skipped.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Ranks, TopK } from '../../lib';
import { loadBinding } from '../../lib/native/load';
import { knownIsas } from '../exactness/against-oracle';
import { exactScores, plainRanks, plainTopK } from '../reference/search';
import { searchExample } from './search-example';

interface Answer {
  isa: string;
  best: TopK;
  bestOfIds: TopK;
  ranks: Ranks;
  ranksOfIds: Ranks;
}

function searchOn(isa: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, 'search-child.ts'), {
      execArgv: ['-r', join(__dirname, '..', 'child', 'register-typescript.cjs')],
      env: { ...process.env, INFCL_ISA: isa },
      serialization: 'advanced', // typed arrays arrive as they are
    });
    child.on('message', (message) => resolve(message as Answer));
    child.on('error', reject);
    child.on('close', (code) => reject(new Error(`the child on ${isa} ended with ${code}`)));
  });
}

const { isas } = loadBinding().cpuInfo();

describe.each(knownIsas)('%s', (isa) => {
  if (!isas.includes(isa)) {
    it.skip(`${isa}: this machine does not have it`, () => {});
    return;
  }
  it('equals the oracle', async () => {
    const { queries, keys, keyIds, k } = searchExample();
    const scores = exactScores(queries, keys);
    const itself = scores.map((_, i) => [i]);
    expect(await searchOn(isa)).toEqual({
      isa,
      best: plainTopK(scores, k),
      bestOfIds: plainTopK(scores, k, { groups: keyIds }),
      ranks: plainRanks(scores, itself),
      ranksOfIds: plainRanks(scores, itself, { groups: keyIds }),
    });
  });
});
