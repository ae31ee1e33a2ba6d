/** The conformance suite on jax-js, and whether what its host cannot is still so. */
import * as jax from '@jax-js/jax';
import { jaxHost } from './jax-host';
import { describeHost } from './suite';

describeHost(jaxHost);

test('the WebAssembly device of jax-js still has no float16', async () => {
  const halves = jax.numpy.array(Float32Array.of(1, 2)).astype(jax.numpy.float16);
  await expect(halves.data()).rejects.toThrow('Cast<float16> not supported in wasm backend');
});
