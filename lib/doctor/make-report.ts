/**
 * Puts the report together, and decides whether all is well.
 */

import { type DoctorReport, type Examination, schemaVersion } from './report';
import { readEnvironment, readManifest, readMemory, readProcessor, readRuntime, readSystem } from './system';

export function makeReport({ step: _, ...examination }: Examination): DoctorReport {
  const { version, engines } = readManifest();
  const runtime = readRuntime(engines.node);
  const { loadFailure, problems, selfTests } = examination;
  const ok =
    runtime.supported &&
    loadFailure === null &&
    problems.length === 0 &&
    selfTests.length > 0 &&
    selfTests.every(({ failures }) => failures.length === 0);
  return {
    schemaVersion,
    infcl: version,
    ok,
    system: readSystem(),
    runtime,
    processor: readProcessor(),
    memory: readMemory(),
    environment: readEnvironment(),
    ...examination,
  };
}
