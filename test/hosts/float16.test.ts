/** Float16Array itself, on Node 24: what ONNX Runtime hands out there, in calls, in training and in packRows. */
import { contrastiveLossAndGradSync } from '../../lib';
import { float16, shape } from './convention';
import { node24, runOnNode24 } from './node24';

const test24 = node24 ? it : it.skip;
const bits = () => ({ data: float16(), shape, dtype: 'float16' as const });
const direct = contrastiveLossAndGradSync(bits(), bits(), { logitScale: 1 });

/** Promises settle before the process ends. */
const inAsync = (code: string) => `(async () => { ${code} })();`;
const tensorOf = `const bits = Uint16Array.of(${float16()});
  const tensorOf = (begin, end) => new ort.Tensor('float16', new Float16Array(bits.buffer, 4 * begin, 2 * (end - begin)), [end - begin, 2]);`;

test24(
  'chunkedStep takes float16 tensors from an encoder, chunk by chunk, with the gradients of one call',
  () => {
    const code = `${tensorOf}
    const tower = () => {
      const grads = [];
      const encoder = {
        encode: ([begin, end]) => tensorOf(begin, end),
        backward: (chunk, { data, dtype }) => { grads.push(...data); encoder.dtype = dtype; },
      };
      return { grads, encoder, tower: { encoder, chunks: () => [[0, 1], [1, 3]] } };
    };
    const [q, k] = [tower(), tower()];
    const { loss, cost } = await infcl.chunkedStep({ queries: q.tower, keys: k.tower, loss: { logitScale: 1 } });
    console.log(JSON.stringify({ loss, queryGrads: q.grads, keyGrads: k.grads, dtype: q.encoder.dtype, bytes: cost.encode.bytes }));`;
    expect(runOnNode24(inAsync(code))).toEqual({
      loss: direct.loss,
      queryGrads: [...direct.queryGrads],
      keyGrads: [...direct.keyGrads],
      dtype: 'float32',
      bytes: 2 * 2 * float16().length,
    });
  },
);

test24('packRows keeps rows of Float16Array in 16 bits, and widens them on request', () => {
  const code = `const rows = [Float16Array.of(1, 0), Float16Array.of(0, 2), Float16Array.of(3, 1)];
    const [half, wide] = [infcl.packRows(rows), infcl.packRows(rows, { dtype: 'float32' })];
    const text = ({ data, dtype }) => [data.constructor.name, dtype, ...data];
    console.log(JSON.stringify([text(half), text(wide)]));`;
  expect(runOnNode24(code)).toEqual([
    ['Uint16Array', 'float16', ...float16()],
    ['Float32Array', 'float32', 1, 0, 0, 2, 3, 1],
  ]);
});

test24('a Float16Array on a resizable buffer is refused, and so is one called bfloat16', () => {
  const code = `const codes = [
      { data: new Float16Array(new ArrayBuffer(12, { maxByteLength: 24 })), shape: [3, 2] },
      { data: new Float16Array(6), shape: [3, 2], dtype: 'bfloat16' },
    ].map((matrix) => { try { infcl.contrastiveLossSync(matrix, matrix); } catch (error) { return error.code; } });
    console.log(JSON.stringify(codes));`;
  expect(runOnNode24(code)).toEqual(['ERR_BUFFER', 'ERR_DTYPE']);
});
