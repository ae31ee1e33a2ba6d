/** backends() is what calls can run on. */
import { backends, contrastiveLossSync, type MatrixLike } from '../../lib';
import { backendsOf } from '../../lib/backend';
import { codedError } from '../../lib/errors';
import { fakeNative } from './fake-binding';

describe('backends', () => {
  it('of this machine', () => {
    const [cpu, cuda] = backends();
    expect(cpu).toEqual({
      name: 'cpu',
      available: true,
      devices: [expect.stringMatching(/./)],
      isa: expect.any(String),
    });
    expect(cuda).toMatchObject({ name: 'cuda', devices: expect.any(Array) });
    if (cuda!.available) expect(cuda!.devices.length).toBeGreaterThan(0);
    else expect(cuda!.reason).toMatch(/./);
    const one: MatrixLike = { data: new Float32Array(1), shape: [1, 1] };
    expect(contrastiveLossSync(one, one).stats.isa).toBe(cpu!.isa);
  });

  it('without an addon are both unavailable, for its reason', () => {
    const reason = 'it would not load';
    const infos = backendsOf(() => {
      throw codedError('ERR_BACKEND_UNAVAILABLE', reason);
    });
    expect(infos).toEqual(['cpu', 'cuda'].map((name) => ({ name, available: false, reason, devices: [] })));
  });

  it('with an instruction set that this machine lacks, the CPU is unavailable', () => {
    const { binding } = fakeNative({
      cpuInfo: () => {
        throw Object.assign(new Error('no such set'), { code: 'ERR_ISA' });
      },
    });
    expect(backendsOf(() => binding)).toEqual([
      { name: 'cpu', available: false, reason: 'no such set', devices: [] },
      { name: 'cuda', available: false, reason: 'no device at all', devices: [] },
    ]);
  });
});
