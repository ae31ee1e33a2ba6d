/**
 * AdamW (arXiv 1711.05101) for trees of jax-js arrays, in the form that optax has: a pair of pure functions, whose
 * names, options and defaults are those of `adamw` in optax. Copy it into your project until `@jax-js/optax` is on npm.
 *
 * Refuses to own parameters and state: `update` returns both, and by the move rules of jax-js it consumes its
 * arguments. Keep `tree.ref(x)` where you need `x` afterwards.
 */

/** The part of a jax-js array that is used. */
interface Numbers {
  readonly shape: number[];
  readonly ref: Numbers;
  add(other: Numbers | number): Numbers;
  mul(other: Numbers | number): Numbers;
  div(other: Numbers | number): Numbers;
}

/** The part of `import * as jax from '@jax-js/jax'` that is used. Loose types, because those of jax-js are nominal. */
interface JaxModule {
  numpy: { sqrt: CallableFunction; square: CallableFunction; zeros: CallableFunction };
  tree: { dispose: CallableFunction; map: CallableFunction };
}

export interface AdamWOptions {
  /** How much of the running mean of the gradient stays in a step. */
  b1?: number;
  /** The same for the mean of its square. */
  b2?: number;
  eps?: number;
  weightDecay?: number;
}

/** Running means of the gradient and of its square, in trees like the parameters. */
export interface AdamWState<Params> {
  steps: number;
  mean: Params;
  square: Params;
}

/**
 * m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g²;  update = -rate (m̂ / (sqrt(v̂) + eps) + decay p)
 * @param jax The module that made the parameters.
 */
export function adamW(
  jax: JaxModule,
  learningRate: number,
  { b1 = 0.9, b2 = 0.999, eps = 1e-8, weightDecay = 1e-4 }: AdamWOptions = {},
) {
  const { numpy: np, tree } = jax;
  /** beta · old + (1 - beta) · now */
  const mix = (beta: number) => (old: Numbers, now: Numbers) => old.mul(beta).add(now.mul(1 - beta));
  return {
    init<Params>(params: Params): AdamWState<Params> {
      const zeros = (): Params => tree.map((p: Numbers) => np.zeros(p.shape), params);
      const state = { steps: 0, mean: zeros(), square: zeros() };
      tree.dispose(params);
      return state;
    },

    /** Add the updates to the parameters. */
    update<Params>(
      grads: Params,
      state: AdamWState<Params>,
      params: Params,
    ): [updates: Params, state: AdamWState<Params>] {
      const steps = state.steps + 1;
      const squares: Params = tree.map((g: Numbers) => np.square(g.ref), grads);
      const mean: Params = tree.map(mix(b1), state.mean, grads);
      const square: Params = tree.map(mix(b2), state.square, squares);
      const [meanCorrection, squareCorrection] = [1 / (1 - b1 ** steps), 1 / (1 - b2 ** steps)];
      const step = (m: Numbers, v: Numbers, p: Numbers) => {
        const spread: Numbers = np.sqrt(v.ref.mul(squareCorrection)).add(eps);
        return m.ref.mul(meanCorrection).div(spread).add(p.mul(weightDecay)).mul(-learningRate);
      };
      return [tree.map(step, mean, square, params), { steps, mean, square }];
    },
  };
}
