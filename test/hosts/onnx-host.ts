/** The host ONNX Runtime through `infcl/onnx`, for the conformance suite: towers are frozen. */
import * as ort from 'onnxruntime-node';
import { onnxEncoder } from '../../lib/adapters/onnx';
import { codedError } from '../../lib/errors';
import type { Host, HostTower, TowerOptions } from '../adapters/conformance/host';
import { featureDim, inputDim } from '../adapters/conformance/network';
import { floats, onnxModel } from './onnx-model';
import { makeSession } from './onnx-towers';

type Chunk = Float32Array;

/** features [batch x featureDim] = tanh(x W + b) */
const networkOf = ({ parameters: { weights, bias }, half = false }: TowerOptions): Uint8Array =>
  onnxModel({
    nodes: [
      { op: 'MatMul', inputs: ['x', 'weights'], outputs: ['product'] },
      { op: 'Add', inputs: ['product', 'bias'], outputs: ['sum'] },
      { op: 'Tanh', inputs: ['sum'], outputs: ['wide'] },
      // 1 is float32 and 10 is float16
      { op: 'Cast', inputs: ['wide'], outputs: ['features'], attributes: { to: { int: half ? 10 : 1 } } },
    ],
    constants: { weights: floats(weights, inputDim, featureDim), bias: floats(bias, featureDim) },
    inputs: { x: { type: 'float32', dims: ['batch', inputDim] } },
    outputs: { features: { type: half ? 'float16' : 'float32', dims: ['batch', featureDim] } },
  });

/** Tensors that sessions made and nobody has disposed of. */
let alive = 0;

/** Counts the results of a run until they are disposed of. */
function counted(results: ort.InferenceSession.ReturnType): ort.InferenceSession.ReturnType {
  for (const tensor of Object.values(results)) {
    const { dispose } = tensor;
    alive++;
    tensor.dispose = () => {
      alive--;
      Reflect.apply(dispose, tensor, []);
    };
  }
  return results;
}

async function makeTower(options: TowerOptions): Promise<HostTower<Chunk>> {
  const session = await makeSession(networkOf(options));
  const { inputMetadata, outputMetadata } = session;
  const run = async (feeds: ort.InferenceSession.FeedsType, fetches: readonly string[]) => {
    options.beforeRun?.();
    return counted(await session.run(feeds, fetches));
  };
  const { weights, bias } = options.parameters;
  return {
    encoder: onnxEncoder<Chunk>({
      ort,
      session: { inputMetadata, outputMetadata, run: run as never },
      feeds: (x) => ({ x: new ort.Tensor('float32', x, [x.length / inputDim, inputDim]) }),
    }),
    async takeGradients() {
      throw codedError('ERR_ENCODER', 'A frozen tower has no gradients');
    },
    discardGradients() {},
    parameters: async () => ({ weights, bias }),
    dispose: () => void session.release(),
  };
}

const frozen = 'a session of ONNX Runtime has no backward pass';
const fixed = 'a session of ONNX Runtime draws no random numbers that a caller could replay';

export const onnxHost: Host<Chunk> = {
  name: 'ONNX Runtime',
  trains: false,
  makeTower,
  makeChunk: (rows) => rows,
  live: () => alive,
  cannot: {
    autodiff: frozen,
    sharedEncoder: frozen,
    sharedByThree: frozen,
    accumulation: frozen,
    dropoutReplay: fixed,
    dropoutOfThree: fixed,
    dropoutAnew: fixed,
    encodeTwice: frozen,
    backwardFails: frozen,
    changedRows: frozen,
    optimiser: frozen,
    nestedGradient: frozen,
  },
};
