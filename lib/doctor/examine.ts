/**
 * What only the native addon can tell: which file was loaded, backends, self-test, and the time of one call. After each
 * step `emit` gets all that is known, so a step that ends the process takes nothing with it.
 *
 * Refuses to reject: a failure is part of the answer.
 */

import fs from 'node:fs';
import path from 'node:path';
import { backends } from '../backend';
import { contrastiveLossAndGradSync } from '../loss/contrastive-loss';
import { readBinaryFile } from '../native/binary-file';
import { loadBinding, loadedFile } from '../native/load';
import { cudaTargetsOf } from './cuda-images';
import { type AddonInfo, type Examination, emptyExamination, type TimingResult } from './report';
import { nameOf, runSelfTest, type Target } from './self-test';
import { hash } from './self-test-cases';
import { hideHome, packageRoot } from './system';

const timedRows = 4096;
const timedDim = 256;
const runs = 2;

export async function examine(emit: (known: Examination) => void): Promise<void> {
  const known = emptyExamination('loading the addon');
  const begin = (step: string) => {
    known.step = step;
    emit(known);
  };
  begin(known.step);
  try {
    loadBinding();
    known.addon = describeAddon();
  } catch (error) {
    known.loadFailure = hideHome((error as Error).message);
  }
  begin('asking for the backends');
  readBackends(known);
  if (known.loadFailure === null) {
    begin('looking for an MPI library');
    readMpi(known);
  }
  for (const target of known.loadFailure === null ? targetsOf(known) : []) {
    begin(`the self-test on ${nameOf(target)}`);
    known.selfTests.push(await runSelfTest(target));
    begin(`timing a call on ${nameOf(target)}`);
    if (isEmulated(known, target)) {
      known.notes.push(`No call was timed on ${nameOf(target)}, an emulator, where it would take hours.`);
      continue;
    }
    try {
      known.timings.push(timeCall(target));
    } catch (error) {
      known.problems.push(`The timed call on ${nameOf(target)} failed: ${(error as Error).message}`);
    }
  }
  begin('done');
}

function describeAddon(): AddonInfo | null {
  const file = loadedFile();
  if (file === null) return null;
  const bytes = fs.readFileSync(file);
  return {
    file: hideHome(file),
    origin: originOf(file),
    platform: readBinaryFile(file)?.platform ?? null,
    bytes: bytes.length,
    cudaTargets: cudaTargetsOf(bytes),
  };
}

function originOf(file: string): AddonInfo['origin'] {
  const place = path.relative(packageRoot, file).split(path.sep);
  if (place[0] === 'prebuilds') return 'prebuilt';
  if (place[0] === 'build') return 'built in a clone';
  if (place[0] === 'source') return 'compiled out of the package';
  return process.env.INFCL_PREBUILD ? 'named by INFCL_PREBUILD' : 'other';
}

function readBackends(known: Examination): void {
  known.backends = backends().map((backend) => ({
    ...backend,
    ...(backend.reason !== undefined && { reason: hideHome(backend.reason) }),
  }));
  const [cpu, cuda] = known.backends;
  if (known.loadFailure !== null) return;
  if (cpu!.available) {
    const { isa, isas, threads } = loadBinding().cpuInfo();
    known.cpu = { isa, isas, threads };
  } else known.problems.push(`The backend cpu does not run: ${cpu!.reason}`);
  const asked = ['INFCL_CUDA_LIBRARY', 'INFCL_CUDA_PATH'].filter((name) => process.env[name]);
  if (!cuda!.available && asked.length > 0) {
    known.problems.push(`${asked.join(' and ')} is set, and the backend cuda does not run: ${cuda!.reason}`);
  }
}

/** MPI is needed by `infcl/mpi` alone, so only a library that was asked for and does not load is a problem. */
function readMpi(known: Examination): void {
  const asked = process.env.INFCL_MPI_LIBRARY ?? '';
  try {
    const { library, layout, version } = loadBinding().findMpi({ library: asked });
    known.mpi = { available: true, library: hideHome(library), layout, version };
  } catch (error) {
    const reason = hideHome((error as Error).message);
    known.mpi = { available: false, reason };
    if (asked !== '') known.problems.push(`INFCL_MPI_LIBRARY is set, and no MPI can be used: ${reason}`);
  }
}

/** The CPU, and each device. */
function targetsOf({ backends: all }: Examination): Target[] {
  return all
    .filter(({ available }) => available)
    .flatMap(({ name, devices }) =>
      (name === 'cpu' ? [''] : devices).map((_, device) => ({ backend: name, device })),
    );
}

/** The emulator of the project's tests names its devices so. */
function isEmulated({ backends: all }: Examination, { backend, device }: Target): boolean {
  return all.some(({ name, devices }) => name === backend && /^infcl emulator\b/.test(devices[device] ?? ''));
}

function timeCall(target: Target): TimingResult {
  const rows = (seed: number) => ({
    // elements of some 1 / 16, for rows of length 0.6
    data: Float32Array.from({ length: timedRows * timedDim }, (_, at) => hash(seed, at) / 2 ** 35 - 1 / 16),
    shape: [timedRows, timedDim] as const,
  });
  const [queries, keys] = [rows(101), rows(102)];
  const all = Array.from(
    { length: runs },
    () => contrastiveLossAndGradSync(queries, keys, { objective: 'clip', logitScale: 14, ...target }).stats,
  );
  const fastest = all.reduce((best, stats) => (stats.seconds < best.seconds ? stats : best));
  return {
    on: nameOf(target),
    call: `clip with gradients, ${timedRows} pairs, ${timedDim} features, float32`,
    seconds: fastest.seconds,
    runs,
    gflopsPerSecond: fastest.flops / fastest.seconds / 1e9,
    isa: fastest.isa,
    threads: fastest.threads,
  };
}
