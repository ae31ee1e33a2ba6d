/**
 * The report as text: one subject a line, in columns, short enough for a bug report.
 *
 * Refuses to decide anything: what is wrong stands in the report already.
 */

import type { DoctorReport, SelfTestResult, TimingResult } from './report';

/** Failures that are shown; the others are counted. */
const shown = 5;
const labelWidth = 13;

export function renderText(report: DoctorReport): string {
  const lines: [label: string, text: string][] = [
    ...machineLines(report),
    ...addonLines(report),
    ...mpiLines(report),
    ...report.selfTests.map((test): [string, string] => ['self-test', selfTestText(test)]),
    ...report.timings.map((timing): [string, string] => ['speed', timingText(timing)]),
    ...column('notes', report.notes),
  ];
  const body = lines.map(([label, text]) => `${label.padEnd(labelWidth)}${text}`.trimEnd());
  return [`infcl ${report.infcl}`, '', ...body, '', ...verdictLines(report), ''].join('\n');
}

function machineLines({ system, runtime, processor, memory, environment }: DoctorReport): [string, string][] {
  const { platform, arch, kernel, libc } = system;
  const limit = memory.limit === null ? 'no limit of a control group' : `limit ${gib(memory.limit)}`;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [
    ['system', `${platform} ${arch}, kernel ${kernel}${libc === null ? '' : `, ${libc}`}`],
    ['runtime', `${runtime.name}${runtime.supported ? '' : `, needed is ${runtime.wanted}`}`],
    ['processor', `${processor.model}, ${count(processor.count, 'processor')}`],
    ['', processor.features === null ? 'features unknown' : processor.features.join(' ') || 'no features'],
    ['quotas', `affinity ${processor.affinity ?? 'unknown'}, ${quotaText(processor.quota)}`],
    ['memory', `${gib(memory.total)}, ${gib(memory.available)} available, ${limit}`],
    ...column('environment', variables.length > 0 ? variables : ['none of the variables of infcl is set']),
  ];
}

function addonLines({ addon, loadFailure, backends, cpu }: DoctorReport): [string, string][] {
  const lines: [string, string][] = [];
  if (addon !== null) {
    const cuda = addon.cudaTargets.length > 0 ? `CUDA for ${addon.cudaTargets.join(' ')}` : 'no CUDA kernels';
    const system = addon.platform ?? 'an unknown system';
    lines.push(['addon', addon.file]);
    lines.push(['', `${addon.origin}, for ${system}, ${(addon.bytes / 2 ** 20).toFixed(1)} MiB, ${cuda}`]);
  }
  if (loadFailure !== null) return [...lines, ['addon', 'not loaded']];
  for (const { name, available, reason, devices } of backends) {
    lines.push([name, available ? `available: ${devices.join(', ')}` : `not available: ${reason}`]);
    if (name === 'cpu' && cpu !== null) {
      lines.push(['', `${cpu.isa}, out of ${cpu.isas.join(', ')}; ${count(cpu.threads, 'thread')}`]);
    }
  }
  return lines;
}

function mpiLines({ mpi }: DoctorReport): [string, string][] {
  if (mpi === null) return [];
  if (!mpi.available) return [['mpi', `not available: ${mpi.reason}`]];
  return [
    ['mpi', mpi.library ?? ''],
    ['', `layout of ${mpi.layout}, ${mpi.version}`],
  ];
}

function selfTestText({ on, cases, failures, seconds }: SelfTestResult): string {
  const right = cases - failures.length;
  return `${on}: ${right} of ${cases} cases are right, ${seconds.toFixed(2)} s`;
}

function timingText({ on, call, seconds, gflopsPerSecond, isa, threads }: TimingResult): string {
  const by = threads > 0 ? `${isa}, ${count(threads, 'thread')}` : isa;
  return `${on}: ${seconds.toFixed(3)} s, ${gflopsPerSecond.toFixed(0)} GFLOP/s (${call}; ${by})`;
}

function verdictLines(report: DoctorReport): string[] {
  if (report.ok) return ['All is well.'];
  const complaints = [
    ...(report.runtime.supported ? [] : [`infcl needs Node ${report.runtime.wanted}.`]),
    ...(report.loadFailure === null ? [] : [report.loadFailure]),
    ...report.problems,
    ...report.selfTests.flatMap(({ on, failures }) => [
      ...failures.slice(0, shown).map((failure) => `self-test on ${on}: ${failure}`),
      ...(failures.length > shown ? [`self-test on ${on}: ${failures.length - shown} more cases`] : []),
    ]),
  ];
  return ['Something is wrong:', ...complaints.map((text) => `  - ${text}`)];
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function quotaText(quota: number | null): string {
  return quota === null ? 'no quota of a control group' : `quota of ${Number(quota.toFixed(2))} processors`;
}

/** The label stands before the first line alone. */
function column(label: string, texts: string[]): [string, string][] {
  return texts.map((text, at): [string, string] => [at === 0 ? label : '', text]);
}
