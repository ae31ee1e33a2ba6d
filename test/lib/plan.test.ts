/** plan() is the planner that calls obey. */
import { contrastiveLossAndGradSync, contrastiveLossSync, type PlanOptions, plan } from '../../lib';
import { planOn } from '../../lib/loss/plan';
import { fakeNative, matrix } from './fake-binding';

const MiB = 2 ** 20;

/** Features of a guide and a teacher of the planned widths. No guide's dot is above a margin of -1e9. */
function otherModels({ queries, keys = queries, guide, teacher }: PlanOptions) {
  const sides = (dim: number) => ({ queries: matrix(queries, dim), keys: matrix(keys, dim) });
  return {
    guide: guide && { ...sides(guide.dim), margin: -1e9 },
    teacher: teacher && { ...sides(teacher.dim), logitScale: 1, weight: 1 },
  };
}

describe('plan', () => {
  it.each<Required<Pick<PlanOptions, 'queries' | 'dim'>> & PlanOptions>([
    { queries: 1, dim: 1 },
    { queries: 300, dim: 17 },
    { queries: 1500, dim: 64 },
    { queries: 1500, dim: 64, threads: 1 },
    { queries: 1500, dim: 64, threads: 3 },
    { queries: 1500, dim: 64, workspaceBytes: 5 * MiB },
    { queries: 1500, dim: 64, threads: 1, workspaceBytes: 3 * MiB },
    { queries: 700, keys: 2000, dim: 33 },
    { queries: 700, keys: 2000, dim: 33, gradient: false },
    { queries: 700, keys: 2000, dim: 33, objective: 'siglip' },
    { queries: 900, dim: 40, objective: 'ntxent' },
    { queries: 900, dim: 40, objective: 'ntxent', workspaceBytes: 8 * MiB },
    { queries: 900, dim: 40, objective: 'supcon' },
    { queries: 900, keys: 0, dim: 40, objective: 'supcon', gradient: false },
    { queries: 900, dim: 40, compute: 'bfloat16' },
    { queries: 900, dim: 40, objective: 'ntxent', compute: 'bfloat16', workspaceBytes: 8 * MiB },
    { queries: 1500, dim: 64, guide: { dim: 24 } },
    { queries: 1500, dim: 64, teacher: { dim: 100 } },
    { queries: 1500, dim: 64, guide: { dim: 24 }, teacher: { dim: 100 }, gradient: false },
    { queries: 1500, dim: 64, guide: { dim: 24 }, teacher: { dim: 100 }, threads: 3 },
    { queries: 1500, dim: 64, guide: { dim: 80 }, workspaceBytes: 6 * MiB },
    { queries: 700, keys: 2000, dim: 33, guide: { dim: 90 }, teacher: { dim: 7 } },
    { queries: 700, keys: 2000, dim: 33, teacher: { dim: 90 }, threads: 1, workspaceBytes: 5 * MiB },
  ])('%j is what the call will take', (options) => {
    const { queries: rows, keys = rows, dim, gradient = true, threads, workspaceBytes, compute } = options;
    const planned = plan(options);
    const objective = options.objective ?? (keys === rows ? 'clip' : 'infonce');
    const labels = objective === 'supcon' ? new Int32Array(rows).map((_, i) => i % 7) : undefined;
    const given = { objective, labels, threads, workspaceBytes, compute, ...otherModels(options) };
    const call = gradient ? contrastiveLossAndGradSync : contrastiveLossSync;
    const { stats } = call(matrix(rows, dim), keys > 0 ? matrix(keys, dim) : null, given);
    expect(stats.workspaceBytes).toBe(planned.bytes.workspace);
    // of the tiles that a small workspace keeps, the planner knows the number but not which of them are ragged
    const allowed = workspaceBytes === undefined ? 1e-12 : 0.01;
    expect(Math.abs(stats.flops / planned.flops - 1)).toBeLessThanOrEqual(allowed);
    const widths = dim + (options.guide?.dim ?? 0) + (options.teacher?.dim ?? 0);
    expect(planned.bytes.inputs).toBe((rows + keys) * widths * 4);
    expect(planned.bytes.grads).toBe(gradient ? (rows + keys) * dim * 4 : 0);
    const { inputs, grads, workspace, total, lse } = planned.bytes;
    expect(total).toBe(inputs + grads + workspace);
    expect(lse).toBeLessThanOrEqual(workspace);
    expect(planned.estimatedSeconds).toBeGreaterThan(0);
  });

  it('memory grows linearly, that of a dense loss does not', () => {
    const [small, large] = [65_536, 131_072].map((rows) =>
      plan({ queries: rows, dim: 256, workspaceBytes: 64 * MiB }),
    );
    expect(large!.bytes.total / small!.bytes.total).toBeLessThan(2);
    expect(large!.denseBytes / small!.denseBytes).toBeGreaterThan(3.9);
    expect(small!.denseBytes).toBeGreaterThan(2 * 65_536 ** 2 * 4);
  });

  it.each([1e6, 1e7, 1e8, 1e10, 2 ** 41])('of %d rows takes no longer than of few', (rows) => {
    plan({ queries: 64, dim: 256 }); // measures the machine
    const began = performance.now();
    for (const objective of ['clip', 'infonce', 'ntxent', 'supcon', 'siglip'] as const) {
      const { flops, bytes, estimatedSeconds } = plan({ queries: rows, dim: 256, objective });
      const passes = objective === 'ntxent' || objective === 'supcon' ? 2 : 1;
      const fewest = 2 * 3 * passes * rows * rows * 256; // three products, of which two triangles make a square
      expect(flops / fewest).toBeGreaterThan(0.99);
      expect(flops / fewest).toBeLessThan(4 / 3 + 0.01);
      expect(bytes.workspace).toBeGreaterThan(bytes.lse);
      expect(bytes.total).toBeGreaterThan(4 * rows * 256 * 4 - 1);
      expect(estimatedSeconds).toBeGreaterThan(0);
    }
    expect(performance.now() - began).toBeLessThan(1000); // the slowest of visits was of days
  });

  describe('the estimated time', () => {
    const secondsOf = (queries: number, keys: number, dim: number, more: object = {}) =>
      plan({ objective: 'infonce', queries, keys, dim, threads: 1, ...more }).estimatedSeconds;

    it('grows with each side and with the width', () => {
      for (const [queries, keys, dim] of [
        [64, 64, 64],
        [32, 65_536, 128],
        [65_536, 32, 128],
        [4096, 4096, 16],
      ] as const) {
        const seconds = secondsOf(queries, keys, dim);
        for (const larger of [
          secondsOf(4 * queries, keys, dim),
          secondsOf(queries, 4 * keys, dim),
          secondsOf(queries, keys, 4 * dim),
        ])
          expect(larger).toBeGreaterThan(seconds);
      }
    });

    it('of an oblong shape is longer than that of a square with as many pairs: keys are packed and read for few queries', () => {
      const square = secondsOf(2048, 2048, 128);
      expect(secondsOf(8, 524_288, 128)).toBeGreaterThan(1.3 * square);
      expect(secondsOf(1, 4_194_304, 128)).toBeGreaterThan(2 * square);
      expect(secondsOf(1024, 4096, 128)).toBeLessThan(1.5 * square);
    });

    it('of narrow features has their exponentials: it is far more than products over speed', () => {
      const [narrow, wide] = [secondsOf(4096, 4096, 8), secondsOf(4096, 4096, 512)];
      expect(narrow).toBeGreaterThan((2 * wide * 8) / 512);
      expect(narrow).toBeLessThan(wide);
    });

    it('of a loss alone is shorter, and a small call has a floor', () => {
      expect(secondsOf(4096, 4096, 256, { gradient: false })).toBeLessThan(0.5 * secondsOf(4096, 4096, 256));
      expect(secondsOf(1, 1, 1)).toBeGreaterThan(1e-6);
      expect(secondsOf(2, 2, 1) / secondsOf(1, 1, 1)).toBeLessThan(2);
    });
  });

  it('memory and work are never negative, up to the largest shapes that are planned', () => {
    for (let dim = 1; dim <= 2 ** 49; dim *= 64) {
      const rows = 2 ** 49 / dim;
      const { bytes, flops } = plan({ queries: rows, dim, threads: 1024 });
      for (const count of [flops, ...Object.values(bytes)]) expect(count).toBeGreaterThan(0);
    }
  });

  it('16-bit features take half', () => {
    const sizes = (['float32', 'float16', 'bfloat16'] as const).map((dtype) =>
      plan({ queries: 64, dim: 16, dtype }),
    );
    expect(sizes.map(({ bytes }) => bytes.inputs)).toEqual([8192, 4096, 4096]);
    expect(sizes.map(({ bytes }) => bytes.grads)).toEqual([8192, 8192, 8192]);
  });

  it('features of a guide and a teacher are inputs of their own types, and matrices of a dense loss', () => {
    const shape = { queries: 64, keys: 100, dim: 16 };
    const alone = plan(shape);
    const both = plan({ ...shape, guide: { dim: 8, dtype: 'float16' }, teacher: { dim: 32 } });
    expect(both.bytes.inputs - alone.bytes.inputs).toBe(164 * (8 * 2 + 32 * 4));
    expect(both.bytes.grads).toBe(alone.bytes.grads);
    expect(both.denseBytes - alone.denseBytes).toBe(2 * 64 * 100 * 4);
  });

  it('a guide and a teacher take time, the more the wider they are', () => {
    const secondsOf = (more: object) =>
      plan({ queries: 4096, dim: 64, threads: 1, ...more }).estimatedSeconds;
    for (const name of ['guide', 'teacher']) {
      const narrow = secondsOf({ [name]: { dim: 64 } });
      expect(narrow).toBeGreaterThan(1.1 * secondsOf({}));
      expect(secondsOf({ [name]: { dim: 512 } })).toBeGreaterThan(1.5 * narrow);
    }
  });

  it('passes on what it was asked, with defaults', () => {
    const { binding, plans } = fakeNative();
    const none = { guideDim: 0, teacherDim: 0 };
    const float32 = { backend: 'cpu', device: 0, dtype: 'float32', bfloat16: false };
    const planned = planOn(() => binding, { queries: 10, dim: 4 });
    planOn(() => binding, {
      queries: 10,
      keys: 20,
      dim: 4,
      gradient: false,
      threads: 3,
      workspaceBytes: 2000,
    });
    planOn(() => binding, { queries: 10, dim: 4, guide: { dim: 5 }, teacher: { dim: 6 } });
    expect(plans).toEqual([
      {
        objective: 'clip',
        queries: 10,
        keys: 10,
        dim: 4,
        ...none,
        gradient: true,
        ...float32,
        threads: 0,
        workspaceBytes: 0,
      },
      {
        objective: 'infonce',
        queries: 10,
        keys: 20,
        dim: 4,
        ...none,
        gradient: false,
        ...float32,
        threads: 3,
        workspaceBytes: 2000,
      },
      {
        objective: 'clip',
        queries: 10,
        keys: 10,
        dim: 4,
        guideDim: 5,
        teacherDim: 6,
        gradient: true,
        ...float32,
        threads: 0,
        workspaceBytes: 0,
      },
    ]);
    expect(planned).toEqual({
      flops: 4e9,
      bytes: { inputs: 320, grads: 320, workspace: 4096, lse: 512, total: 4736 },
      denseBytes: 2 * 400 + 320,
      estimatedSeconds: 0.2,
      slabs: 3,
    });
  });
});
