/** A call where `globalThis.process` is not Node's. Prints the loss, or the error. */
import { backends, contrastiveLossSync } from '../../../lib';

export interface ForeignProcessOrder {
  kind: 'none' | 'empty' | 'without versions' | 'throwing';
  /** Whether the addon is loaded before `process` is replaced. */
  loaded: boolean;
}

export interface ForeignProcessAnswer {
  loss?: number;
  code?: string;
  message?: string;
}

const throwing = () =>
  new Proxy(
    {},
    {
      get() {
        throw new Error('not yours');
      },
    },
  );
const replacements = {
  none: () => undefined,
  empty: () => ({}),
  'without versions': () => ({ env: {}, versions: null }),
  throwing,
};

function run({ kind, loaded }: ForeignProcessOrder): ForeignProcessAnswer {
  const one = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] as [number, number] };
  if (loaded) backends();
  const replacement = replacements[kind]();
  const own = Object.getOwnPropertyDescriptor(globalThis, 'process')!;
  Object.defineProperty(globalThis, 'process', { value: replacement, configurable: true, writable: true });
  try {
    return { loss: contrastiveLossSync(one, one).loss };
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { code, message };
  } finally {
    Object.defineProperty(globalThis, 'process', own);
  }
}

console.log(JSON.stringify(run(JSON.parse(process.argv[2]!))));
