/** One call on backend 'cuda', on a device that is too small for it. Prints the error. */
import { contrastiveLossSync, type InfclError } from '../../../../lib';

const features = { data: new Float32Array(1000 * 1000), shape: [1000, 1000] } as const;
try {
  contrastiveLossSync(features, features, { backend: 'cuda' });
  console.log('null');
} catch (error) {
  const { name, code, message } = error as InfclError;
  console.log(JSON.stringify({ name, code, message }));
}
