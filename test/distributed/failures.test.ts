/**
 * Calls of a group that end early: every rank settles with an error that names the rank and the cause, and the group
 * works again afterwards. No test waits for a time: a rank that is forgotten would hang its test.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type AnyContrastiveOptions, contrastiveLoss, contrastiveLossAndGrad } from '../../lib';
import { type ProcessGroup, threadGroups } from '../../lib/distributed';
import { makePair } from '../reference/inputs';

const batch = makePair({ rows: 12, dim: 8, seed: 5 });
const spoiled = { ...batch.queries, data: batch.queries.data.map((x, i) => (i === 20 ? Number.NaN : x)) };

const call = (group: ProcessGroup, options: AnyContrastiveOptions = {}) =>
  contrastiveLoss(batch.queries, batch.keys, { ...options, group } as object);

interface Failure {
  code?: string;
  name: string;
  message: string;
}

/** The error of each rank, or null. */
async function errorsOf(calls: Promise<unknown>[]): Promise<(Failure | null)[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((one) => (one.status === 'rejected' ? (one.reason as Failure) : null));
}

async function inGroup(ranks: number, test: (groups: ProcessGroup[]) => Promise<void>): Promise<void> {
  const groups = threadGroups(ranks);
  try {
    await test(groups);
  } finally {
    await Promise.all(groups.map((group) => group.close()));
  }
}

async function expectUsable(groups: ProcessGroup[]): Promise<void> {
  const losses = (await Promise.all(groups.map((group) => call(group)))).map(({ loss }) => loss);
  expect(new Set(losses).size).toBe(1);
}

const expectOthers = (errors: (Failure | null)[], culprit: number, text: string) =>
  errors.forEach((error, rank) => {
    if (rank === culprit) return;
    expect(error).toMatchObject({
      code: 'ERR_RANK_FAILED',
      message: expect.stringContaining(`rank ${culprit} failed`),
    });
    expect(error!.message).toContain(text);
  });

it.each<[string, AnyContrastiveOptions, string]>([
  ['scales', { logitScale: 14 }, 'options.logitScale: 14 on rank 2, 20 on rank 0'],
  ['objectives', { objective: 'infonce' }, 'the objective: infonce on rank 2, clip on rank 0'],
  ['smoothing', { labelSmoothing: 0.1 }, 'options.labelSmoothing: 0.1 on rank 2, 0 on rank 0'],
  ['arithmetic', { compute: 'bfloat16' }, "options.compute 'bfloat16': yes on rank 2, no on rank 0"],
])('different %s: the same sentence on all ranks', (_, options, text) =>
  inGroup(3, async (groups) => {
    const errors = await errorsOf(
      groups.map((group, rank) => call(group, { logitScale: 20, ...(rank === 2 ? options : {}) })),
    );
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'ERR_VALUE', message: expect.stringContaining(text) });
    }
    await expectUsable(groups);
  }),
);

it('a call with gradients meets one without', () =>
  inGroup(2, async (groups) => {
    const errors = await errorsOf([
      call(groups[0]!),
      contrastiveLossAndGrad(batch.queries, batch.keys, { group: groups[1]! }),
    ]);
    for (const error of errors) expect(error!.message).toContain('gradients: yes on rank 1, no on rank 0');
    await expectUsable(groups);
  }));

it('features that are not finite: the rank has its own error', () =>
  inGroup(3, async (groups) => {
    const errors = await errorsOf(
      groups.map((group, rank) =>
        contrastiveLoss(rank === 1 ? spoiled : batch.queries, batch.keys, { group }),
      ),
    );
    expect(errors[1]).toMatchObject({ code: 'ERR_NOT_FINITE' });
    expectOthers(errors, 1, 'row 2, column 4');
    await expectUsable(groups);
  }));

it.each<[string, AnyContrastiveOptions | object, string]>([
  ['an option that is refused', { logitScale: -1 }, 'options.logitScale'],
  ['an unknown option', { logitscale: 1 }, 'did you mean logitScale?'],
  ['features of another shape', { hardNegatives: { keys: batch.keys, perQuery: 3 } }, 'ERR_SHAPE'],
  ['a backend that knows no ranks', { backend: 'cuda' }, "backend: 'cpu'"],
])('%s: the others do not wait for the rank', (_, options, text) =>
  inGroup(3, async (groups) => {
    const errors = await errorsOf(groups.map((group, rank) => call(group, rank === 0 ? options : {})));
    const shown = `${errors[0]!.code} ${errors[0]!.message}`;
    expect(shown).toContain(text);
    expectOthers(errors, 0, errors[0]!.message);
    await expectUsable(groups);
  }),
);

it('labels of no key of any rank', () =>
  inGroup(2, async (groups) => {
    const labels = new Int32Array(12).fill(23);
    const options = { objective: 'infonce', labels } as const;
    await Promise.all(groups.map((group) => call(group, options)));
    labels[4] = 24;
    const errors = await errorsOf(
      groups.map((group, rank) =>
        call(group, rank === 1 ? options : { ...options, labels: new Int32Array(12) }),
      ),
    );
    expect(errors[1]).toMatchObject({
      code: 'ERR_VALUE',
      message: expect.stringContaining('one of the 24 keys of all ranks'),
    });
    expectOthers(errors, 1, 'options.labels[4]');
    await expectUsable(groups);
  }));

it('an abort on one rank ends the call on all', () =>
  inGroup(2, async (groups) => {
    const large = makePair({ rows: 1500, dim: 64, seed: 1 });
    const controller = new AbortController();
    const calls = groups.map((group, rank) =>
      contrastiveLossAndGrad(large.queries, large.keys, {
        group,
        threads: 1,
        ...(rank === 1 && {
          signal: controller.signal,
          onProgress: () => controller.abort(new Error('enough')),
        }),
      }),
    );
    const errors = await errorsOf(calls);
    expect(errors[1]).toMatchObject({ message: 'enough' });
    // the end of a call may be faster than its abort
    if (errors[0] !== null) expectOthers(errors, 1, 'aborted');
    await expectUsable(groups);
  }));

it.each([
  ['before native code has it', async () => {}],
  ['while native code waits for the others', () => new Promise((resolve) => setImmediate(resolve))],
])('an abort %s takes the place of the call', (_, wait) =>
  inGroup(3, async (groups) => {
    const controller = new AbortController();
    const first = call(groups[0]!, { signal: controller.signal });
    const second = call(groups[1]!);
    await wait();
    controller.abort(new Error('no patience'));
    await expect(first).rejects.toThrow('no patience');
    // the third rank comes to a call that rank 0 has refused
    const errors = await errorsOf([first, second, call(groups[2]!)]);
    expectOthers(errors, 0, 'no patience');
    await expectUsable(groups);
  }),
);

it('a group that nobody closes, and a call that nobody joins, keep no process alive', async () => {
  const script = `
    const { contrastiveLoss } = require('infcl');
    const { threadGroups } = require('infcl/distributed');
    const one = { data: new Float32Array(4).fill(1), shape: [2, 2] };
    const [group] = threadGroups(2);
    contrastiveLoss(one, one, { group, logitScale: -1 }).catch(({ code }) => console.log(code));
  `;
  const root = join(__dirname, '..', '..');
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: root });
  expect(stdout).toBe('ERR_VALUE\n');
});

it('calls of a group keep their order, whatever happens to them', () =>
  inGroup(2, async (groups) => {
    const [left, right] = groups as [ProcessGroup, ProcessGroup];
    const controller = new AbortController();
    const scales = [2, 3, 4, 5];
    const ofLeft = scales.map((logitScale) =>
      call(left, { logitScale, ...(logitScale === 4 && { signal: controller.signal }) }),
    );
    controller.abort(new Error('not the third'));
    const ofRight = scales.map((logitScale) => call(right, { logitScale }));
    const settled = await Promise.allSettled([...ofLeft, ...ofRight]);
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
  }));

it('a rank that closes ends the calls that need it', async () => {
  const groups = threadGroups(2);
  const waiting = call(groups[0]!);
  await groups[1]!.close();
  await expect(waiting).rejects.toMatchObject({
    code: 'ERR_RANK_FAILED',
    message: expect.stringContaining('rank 1'),
  });
  await expect(call(groups[1]!)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  await groups[0]!.close();
});
