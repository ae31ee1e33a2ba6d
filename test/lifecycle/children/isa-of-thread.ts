/** Which instruction set calls use after INFCL_ISA has changed, and in a worker thread that was started without it. */
import { Worker } from 'node:worker_threads';
import { contrastiveLossSync } from '../../../lib';
import { loadBinding } from '../../../lib/native/load';

export interface IsaAnswer {
  before: string;
  after: string;
  inWorker: string;
  fastest?: string;
}

const one = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] as [number, number] };
const before = contrastiveLossSync(one, one).stats.isa;
process.env.INFCL_ISA = 'sse9';
const after = contrastiveLossSync(one, one).stats.isa;
const { isas } = loadBinding().cpuInfo();

const code = `
  const { contrastiveLossSync } = require(${JSON.stringify(require.resolve('../../../lib'))});
  const one = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
  require('node:worker_threads').parentPort.postMessage(contrastiveLossSync(one, one).stats.isa);
`;
const { INFCL_ISA: _, ...env } = process.env;
const register = require.resolve('../../child/register-typescript.cjs');
const worker = new Worker(code, { eval: true, env, execArgv: ['-r', register] });
worker.once('message', (inWorker: string) => {
  const answer: IsaAnswer = { before, after, inWorker, fastest: isas.at(-1)! };
  console.log(JSON.stringify(answer));
});
