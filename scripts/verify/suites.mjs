/**
 * The suites of scripts/verify.mjs, one entry each. A new suite is a new entry:
 *
 *   name     the word on the command line
 *   proves   one sentence, for the list and for docs/verified.md
 *   needs    optional: functions of needs.mjs; one that gives a reason skips the suite
 *   limit    optional: seconds, by default and at most 1,200; the suite is stopped after them
 *   parts    a function of { commit, gate } that returns the parts, which run in this order
 *
 * `gate` is true where .ci/run runs the suite: the parts must then take 12 minutes at most on two cores. A part is
 *
 *   name     unique within the suite
 *   command  program and arguments, started in the root of the checkout
 *   env      optional: environment variables beside those of the caller
 *   script   optional: a file of the project that the command needs; a missing file is a failure, not a skip
 *   needs    optional: as above, skips this part alone
 *   always   optional: run the part again even where it passed, such as a build that others need
 *
 * A program that ends with exit status 77 says that the program could not check anything: the part is skipped.
 */

import darwinArm64 from '../binaries/darwin-arm64.mjs';
import linuxArm64Glibc from '../binaries/linux-arm64-glibc.mjs';
import linuxArm64Musl from '../binaries/linux-arm64-musl.mjs';
import linuxX64Musl from '../binaries/linux-x64-musl.mjs';
import { nodeVersions } from '../binaries/this-system.mjs';
import win32X64 from '../binaries/win32-x64.mjs';
import {
  aptOrMpi,
  buildsTarget,
  linuxX64,
  nvcc,
  registry,
  runsEmulator,
  runsTarget,
  zstd,
} from './needs.mjs';

/** A number for random cases that differs from commit to commit and is the same for one commit. */
const seedOf = (commit) => Number.parseInt(commit.slice(0, 6), 16);

const sanitize = (...args) => ['node', 'scripts/sanitize.mjs', ...args];

/** On a slow machine the long ones fill a suite's time, so they are parts: what passed is not run again. */
const longTests = ['engine_test', 'ring_test'];

/** Parts that run all native tests under a sanitizer. @param {string[]} without Tests that have a part already. */
const sanitizedTests = (sanitizer, without = []) => [
  ...longTests.map((test) => ({ name: test, command: sanitize(sanitizer, '--only', test) })),
  {
    name: 'other native tests',
    command: sanitize(sanitizer, ...[...without, ...longTests].flatMap((test) => ['--except', test])),
  },
];

const threads = {
  name: 'threads',
  proves: 'ThreadSanitizer finds no data race in the native tests and in random requests to the CPU backend.',
  parts: () => [
    { name: 'build', command: sanitize('thread', '--build'), always: true },
    { name: 'random requests', command: sanitize('thread', '--only', 'request_fuzz') },
    ...sanitizedTests('thread', ['request_fuzz']),
  ],
};

const memory = {
  name: 'memory',
  proves:
    'AddressSanitizer and UndefinedBehaviorSanitizer find nothing in the native tests, in those of the CUDA backend on the emulator, and in random requests.',
  needs: [nvcc, zstd],
  parts: ({ gate }) => {
    // the gate runs the CPU backend's tests in a step of its own
    if (gate) {
      const only = ['--only', 'cuda_engine_test'];
      return [
        { name: 'build', command: sanitize('address', '--build', ...only), always: true },
        { name: 'the CUDA engine', command: sanitize('address', ...only) },
      ];
    }
    return [
      { name: 'build', command: sanitize('address', '--build'), always: true },
      ...sanitizedTests('address'),
    ];
  },
};

const schedule = {
  name: 'schedule',
  proves:
    'The simulated times of docs/threads.md are those of the real engine within 5 %: 8 to 64 threads run it side by side, with kernels that sleep.',
  parts: () => [
    { name: 'build', command: ['node', 'scripts/schedule.mjs', 'build'], always: true },
    ...[8, 16, 32, 64].map((threads) => ({
      name: `${threads} threads`,
      command: ['node', 'scripts/schedule.mjs', 'prove', String(threads)],
    })),
  ],
};

const cudaBuild = 'build-verify/cuda';

const mutants = {
  name: 'mutants',
  proves:
    "The tests of the CUDA kernels find every bug that is seeded into the kernels' PTX, in whatever order the emulator runs the warps.",
  needs: [nvcc, zstd],
  parts: ({ gate }) => [
    {
      name: 'configure',
      command: [
        'cmake',
        ...['-S', '.', '-B', cudaBuild, '-DINFCL_CUDA=ON'],
        '-DINFCL_CUDA_TARGETS=compute_80;compute_90a',
      ],
      always: true,
    },
    {
      name: 'build',
      command: ['cmake', '--build', cudaBuild, '--parallel', '2', '--target', 'cuda_mutation_test'],
      always: true,
    },
    ...(gate ? [2, 3] : [1, 2, 3, 4, 5, 6]).map((seed) => ({
      name: `order of warps ${seed}`,
      command: [`${cudaBuild}/test/cuda/cuda_mutation_test`],
      env: {
        INFCL_EMULATOR_SEED: String(seed),
        INFCL_CUDA_LIBRARY: `${cudaBuild}/emulator/libinfcl_cuda_emulator.so`,
      },
    })),
  ],
};

const fuzz = {
  name: 'fuzz',
  proves:
    'Random and hostile calls of the public API, random headers of files, and random requests and searches under AddressSanitizer, end in a right answer or a clear error.',
  parts: ({ commit, gate }) => {
    const seed = String(seedOf(commit));
    const calls = ['npm', 'run', 'test:calls', '--', '--seed', seed];
    return [
      { name: 'build the package', command: ['node', 'scripts/build.mjs'], always: true },
      {
        name: 'build the fuzz targets',
        command: sanitize('address', '--only', 'request_fuzz', '--only', 'search_fuzz', '--build'),
        always: true,
      },
      {
        name: 'random requests',
        command: sanitize(
          'address',
          '--only',
          'request_fuzz',
          '--first',
          seed,
          '--cases',
          gate ? '15000' : '40000',
        ),
      },
      {
        name: 'random searches',
        command: sanitize(
          'address',
          '--only',
          'search_fuzz',
          '--first',
          seed,
          '--cases',
          gate ? '5000' : '15000',
        ),
      },
      {
        name: 'random headers',
        command: ['npm', 'run', 'test:headers', '--', '--seed', seed, '--minutes', '1'],
      },
      { name: 'random calls', command: [...calls, '--minutes', gate ? '3' : '6'] },
      {
        name: 'random calls, portable kernels',
        command: [...calls, '--minutes', gate ? '1' : '2'],
        env: { INFCL_ISA: 'scalar' },
      },
    ];
  },
};

const rehearsal = {
  name: 'rehearsal',
  proves:
    'The script for the first hour on a GPU runs to its end on the emulator. Nothing is measured on a GPU.',
  needs: [nvcc, zstd],
  parts: () => [
    {
      name: 'first contact',
      script: 'bench/gpu/first-contact.sh',
      command: ['bash', 'bench/gpu/first-contact.sh', 'rehearse'],
    },
  ],
};

/** To compile all kernels once more takes longer than the gate has. */
const kernelsOf = (gate) => (gate ? { INFCL_CUDA_TARGETS: 'compute_80;compute_90a' } : {});

const linuxX64Glibc = {
  name: 'linux-x64-glibc',
  proves:
    "The package's binary for Linux on x64 gives the bits of a build in the clone, on each line of Node from 20.17 on and on Debian 11, and passes all tests of the package.",
  needs: [linuxX64, nvcc],
  parts: ({ gate }) => {
    const env = kernelsOf(gate);
    const part = (...words) => ({ command: ['node', 'scripts/binaries/this-system.mjs', ...words], env });
    const build = (...words) => ({ command: ['node', ...words], env, always: true });
    return [
      { name: 'build in the clone', ...build('scripts/build.mjs') },
      { name: 'build the binary', ...build('scripts/build-binaries.mjs', 'linux-x64-glibc') },
      { name: 'gates', ...part('gates') },
      { name: 'each instruction set', ...part('isas') },
      { name: 'Debian 11', ...part('debian11') },
      ...nodeVersions.map((version) => ({ name: `Node ${version}`, ...part('node', version) })),
      ...(gate ? [] : [{ name: 'jest', ...part('jest') }]),
    ];
  },
};

const consumers = {
  name: 'consumers',
  proves:
    'The packed package installs into empty projects without a script or a compiler, and computes and trains in every version of Node, package manager, bundler, test runner and TypeScript of docs/installing.md.',
  needs: [registry],
  parts: () => [
    { name: 'build the package', command: ['node', 'scripts/build.mjs'], always: true },
    { name: 'pack', command: ['node', 'scripts/package/consumers.mjs', 'pack'], always: true },
    ...['node', 'typescript', 'test-runners', 'bundlers', 'managers', 'source'].map((group) => ({
      name: group,
      command: ['node', 'scripts/package/consumers.mjs', group],
    })),
  ],
};

const hosts = {
  name: 'hosts',
  proves:
    'Matrices of the packages that users of Node have (ONNX Runtime, transformers.js, ndarray, Arrow and others) are accepted, or refused with the line to write.',
  needs: [registry],
  parts: () => [
    { name: 'build the package', command: ['node', 'scripts/build.mjs'], always: true },
    { name: 'install the packages', command: ['npm', 'run', 'hosts'], always: true },
    { name: 'types and tests', command: ['npm', 'run', 'test:hosts'] },
  ],
};

const ranks = {
  name: 'ranks',
  proves:
    'Ranks under Open MPI and MPICH agree on all collectives, bit by bit, on one host and on several; when a rank fails, ends, hangs or is killed, or a link is cut, all others get an error that names it, and the job ends.',
  needs: [aptOrMpi],
  parts: ({ gate }) => [
    { name: 'install Open MPI and MPICH', command: ['node', 'scripts/mpi.mjs', 'install'], always: true },
    { name: 'build the package', command: ['node', 'scripts/build.mjs'], always: true },
    { name: 'build a rank without Node', command: ['node', 'scripts/mpi.mjs', 'build'], always: true },
    ...['Open MPI', 'MPICH'].map((name) => ({ name, command: ['node', 'scripts/mpi.mjs', 'all', name] })),
    // exits with 77 where there can be no network namespaces
    ...(gate ? [] : ['Open MPI', 'MPICH']).map((name) => ({
      name: `${name}, three hosts`,
      command: ['node', 'scripts/mpi.mjs', 'hosts', name],
    })),
  ],
};

/**
 * Parts that run the native tests on a target's system. `leftOut` maps a program to the reason why the suite does
 * not run it: a part of its own, which is skipped, so that the reason is in each summary and on docs/verified.md.
 * `notInGate` lists programs that take too long for the gate.
 */
function nativeTests({ name: target }, { leftOut = {}, notInGate = [] }, gate) {
  const part = (word, ...args) => ({
    command: ['node', 'scripts/binaries/native-tests.mjs', word, target, ...args],
    needs: [linuxX64, runsEmulator(target)],
  });
  const slow = 'too long for the gate: the whole suite runs this program';
  const reasons = { ...leftOut, ...(gate ? Object.fromEntries(notInGate.map((name) => [name, slow])) : {}) };
  const names = Object.keys(reasons);
  return [
    { name: 'build the native tests', ...part('build'), always: true },
    { name: 'native tests', ...part('run', ...names.flatMap((name) => ['--except', name])) },
    ...names.map((name) => ({ name, ...part('run', '--only', name), needs: [() => reasons[name]] })),
  ];
}

/**
 * The suite of a binary for another system: build, gates, and a run where a runtime of that system runs here.
 * `tests`, if there, runs the native tests too (nativeTests). `neon` names the compiler whose loops are examined
 * (neon-loops.mjs).
 */
function otherSystem(target, { proves, runs, tests, neon }) {
  const part = (word) => ({ command: ['node', 'scripts/binaries/other-systems.mjs', word, target.name] });
  return {
    name: target.name,
    proves,
    needs: [buildsTarget(target)],
    parts: ({ gate }) => [
      {
        name: 'build the binary',
        command: ['node', 'scripts/build-binaries.mjs', target.name],
        env: kernelsOf(gate),
        always: true,
      },
      { name: 'gates', ...part('gates'), env: kernelsOf(gate) },
      ...(runs
        ? [
            { name: 'build in the clone', command: ['node', 'scripts/build.mjs'], always: true },
            { name: 'results', ...part('compute'), needs: [linuxX64, runsTarget(target)] },
          ]
        : []),
      ...(neon
        ? [{ name: 'loops of NEON', command: ['node', 'scripts/binaries/neon-loops.mjs', neon] }]
        : []),
      ...(tests ? nativeTests(target, tests, gate) : []),
    ],
  };
}

const otherSystems = [
  otherSystem(linuxArm64Glibc, {
    proves:
      'The binary for Linux on arm64 runs on Node under qemu, and its results are close to those of x64. The native tests pass there.',
    runs: true,
    neon: 'g++',
    tests: {
      leftOut: {
        engine_test:
          'under qemu it alone takes longer than a suite has; engine_test_neon runs six of its seventeen parts on NEON, and other native tests and "results" run the engine too',
        many_threads_test:
          'under qemu it alone takes longer than a suite has; many_threads_test_short runs it with fewer rows and numbers of threads, on NEON alone',
      },
      notInGate: ['engine_test_neon'],
    },
  }),
  otherSystem(win32X64, {
    proves:
      'The binary for Windows runs on Node under wine: gradients have the bits of Linux, losses differ by at most one unit in the last place. The native tests pass there.',
    runs: true,
    tests: {},
  }),
  otherSystem(linuxX64Musl, {
    proves:
      'The binary for musl on x64 runs on Bun: gradients have the bits of glibc, losses differ by at most one unit in the last place.',
    runs: true,
  }),
  otherSystem(linuxArm64Musl, {
    proves: 'The binary for musl on arm64 runs on Bun under qemu, and its results are close to those of x64.',
    runs: true,
  }),
  otherSystem(darwinArm64, {
    proves: 'The binary for macOS on arm64 compiles, links and is signed ad hoc. Built, not run.',
    runs: false,
    neon: 'zig',
  }),
];

export const suites = [
  threads,
  memory,
  schedule,
  mutants,
  fuzz,
  rehearsal,
  linuxX64Glibc,
  consumers,
  hosts,
  ranks,
  ...otherSystems,
];
