/**
 * Searches once on the instruction set of INFCL_ISA, and sends the results to the parent. A process of its own,
 * because INFCL_ISA is read once.
 */
import { backends, ranks, topK } from '../../lib';
import { searchExample } from './search-example';

async function answer(): Promise<void> {
  const { queries, keys, keyIds, k } = searchExample();
  const options = { threads: 3 };
  process.send!({
    isa: backends()[0]!.isa,
    best: await topK(queries, keys, k, options),
    bestOfIds: await topK(queries, keys, k, { ...options, keyIds }),
    ranks: await ranks(queries, keys, options),
    ranksOfIds: await ranks(queries, keys, { ...options, keyIds }),
  });
  process.disconnect();
}

void answer();
