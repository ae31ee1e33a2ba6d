/** The types of infcl/tfjs with the types of TensorFlow.js itself, for a strict user of the built package. */
import { compile } from '../lib/compile';

const head = `import * as tf from '@tensorflow/tfjs';
import { chunkedStep } from 'infcl';
import { applyGradients, contrastiveLoss, tfjsEncoder } from 'infcl/tfjs';
declare const [q, k, labels, bank]: [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D, tf.Tensor2D];
declare const optimizer: tf.Optimizer, model: tf.LayersModel, scale: tf.Scalar;
`;

it('what tfjs returns fits, and what infcl returns fits tfjs', () => {
  const program = `${head}
const loss: tf.Scalar = contrastiveLoss(tf, q, k, { logitScale: scale });
optimizer.minimize(() => contrastiveLoss(tf, q, k));
contrastiveLoss(tf, q, k, { objective: 'infonce', labels, hardNegatives: { keys: bank, perQuery: 2 }, grad: { keys: false } });
contrastiveLoss(tf, q, null, { objective: 'supcon', labels, logitScale: undefined });
contrastiveLoss(tf, q, k, { objective: 'siglip', logitBias: scale });
const encoder = tfjsEncoder({ tf, model, seed: undefined, frozen: undefined });
const other = tfjsEncoder({ tf, model: { apply: (x: tf.Tensor2D, seed: number) => tf.dropout(x, 0.5, undefined, seed), variables: [tf.variable(q)] } });
void chunkedStep({ queries: { encoder, chunks: () => [q] }, keys: { encoder: other, chunks: () => [k] } });
applyGradients(tf.train.adam(0.1), [encoder, other], { name: 3, another: scale });
const taken: tf.NamedTensorMap = other.takeGradients();
export { loss, taken };
`;
  expect(compile({ 'tfjs-right.mts': program })).toEqual([]);
});

/** In one program, because the types of tfjs take seconds to read. */
const wrong = [
  ['an option that the objective refuses', "contrastiveLoss(tf, q, k, { objective: 'siglip', labels });"],
  ['missing labels', "contrastiveLoss(tf, q, k, { objective: 'supcon' });"],
  ['results per row', 'contrastiveLoss(tf, q, k, { perRow: true });'],
  ['output arrays', 'contrastiveLoss(tf, q, k, { out: {} });'],
  ['a number as queries', 'contrastiveLoss(tf, 3, k);'],
  ['a part of the module', 'contrastiveLoss(tf.train, q, k);'],
  [
    'a chunk of another type',
    'void tfjsEncoder({ tf, model: { apply: (x: tf.Tensor2D) => x, variables: [] } }).encode(3);',
  ],
  ['a tensor among the variables', 'tfjsEncoder({ tf, model: { apply: () => q, variables: [q] } });'],
] as const;

it('what is wrong does not compile', () => {
  const program = head + wrong.map(([, line]) => `${line}\n`).join('');
  const first = head.split('\n').length;
  const lines = compile({ 'tfjs-wrong.mts': program }).map((error) => Number(/mts:(\d+):/.exec(error)?.[1]));
  const missed = wrong.filter((_, i) => !lines.includes(first + i)).map(([what]) => what);
  expect(missed).toEqual([]);
  expect(lines).toHaveLength(wrong.length);
});
