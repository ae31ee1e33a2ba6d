/**
 * Checks finished binaries for other systems than Linux on x64 with glibc: `node scripts/binaries/other-systems.mjs PART
 * TARGET`. The parts are
 *
 *   gates     the file is what it must be (gates.mjs), for every target
 *   compute   a runtime of that system (runtimes.mjs) computes test/binaries/compute.cjs, and the results are those of the
 *             build in the clone
 *
 * x64 has the same kernels everywhere: gradients have equal bits, on every instruction set. arm64 fuses products and sums,
 * so its numbers are close and not equal.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BuildError } from './command.mjs';
import { compute, differences, isaSettings, withInstalled } from './installed.mjs';
import { distances, withinOneUlp } from './numbers.mjs';
import { runtimes } from './runtimes.mjs';
import { loadTarget, targetNames } from './targets.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What `backends()` must say about CUDA, so that users learn why a GPU is not used. */
const cudaReasons = {
  'win32-x64': /Windows/,
  'linux-x64-musl': /musl/,
  'linux-arm64-musl': /musl/,
  'linux-arm64-glibc': /./,
};

/** How far numbers of arm64 may be from numbers of x64: tests against float64 references allow more. */
const tolerance = 1e-6;
/** The same for bfloat16 products, which round gradients of logits to 8 bits: the tests of the engine allow as much. */
const narrow = 1e-2;
const toleranceOf = ({ isa }) => (isa.endsWith('bf16') ? narrow : tolerance);

function checkGates(target) {
  const complaints = target.check(join(root, target.output), root);
  if (complaints.length > 0) throw new BuildError(`${target.output}:\n${complaints.join('\n')}`);
  console.log(`${target.output}: all gates passed`);
}

/** The results of the build in the clone and of the target's binary, each with its own environment. */
function runBoth(target, ofClone, ofTarget = ofClone) {
  const clone = join('build', 'Release', 'infcl.node');
  const expected = withInstalled(root, clone, (folder) => compute(folder, [process.execPath], ofClone));
  const { command, env: own } = runtimes[target.name].start(root);
  const found = withInstalled(root, target.output, (folder) =>
    compute(folder, command, { ...ofTarget, ...own }),
  );
  return { expected, found };
}

const isasOf = ({ cases }) => [...new Set(cases.map(({ isa }) => isa))];

function compareRuns({ name }, { expected, found }, lines) {
  if (!cudaReasons[name].test(found.cuda)) lines.push(`backends() says about CUDA: ${found.cuda}`);
  if (lines.length > 0) throw new BuildError(`${name}: not the results of the clone:\n${lines.join('\n')}`);
  console.log(
    `${name}, ${found.runtime}: ${found.cases.length} of ${expected.cases.length} cases on ${isasOf(found).join(' and ')}`,
  );
}

/** Instruction sets that arm64 must use, by INFCL_ISA; '' is the default. qemu emulates bfloat16 products. */
const arm64Isas = { scalar: ['scalar'], neon: ['neon', 'neonbf16'], '': ['neon', 'neonbf16'] };

function checkArm64(target) {
  for (const [isa, wanted] of Object.entries(arm64Isas)) {
    const runs = runBoth(target, { INFCL_ISA: 'scalar' }, isa ? { INFCL_ISA: isa } : {});
    const lines = distances(runs.expected, runs.found, toleranceOf);
    const used = isasOf(runs.found).join(' and ');
    if (used !== wanted.join(' and ')) lines.push(`ran on ${used}, expected ${wanted.join(' and ')}`);
    compareRuns(target, runs, lines);
  }
  console.log(`-- all numbers and sums of gradients within ${tolerance}, with bfloat16 products ${narrow}`);
}

function checkCompute(target) {
  if (!target.name.includes('x64')) {
    checkArm64(target);
    return;
  }
  for (const env of isaSettings()) {
    const runs = runBoth(target, env);
    compareRuns(target, runs, differences(runs.expected, runs.found, withinOneUlp));
  }
  console.log('-- all gradients with equal bits, all losses within one unit in the last place');
}

const parts = { gates: checkGates, compute: checkCompute };

async function main([part, name]) {
  if (!Object.hasOwn(parts, part ?? '') || !targetNames.includes(name)) {
    const names = targetNames.join(' | ');
    console.error(`usage: node scripts/binaries/other-systems.mjs ${Object.keys(parts).join(' | ')} TARGET
  TARGET   ${names}`);
    return 2;
  }
  const missing = part === 'compute' ? whyNot(name) : null;
  if (missing) {
    console.log(`NOT CHECKED: ${name}: ${missing}`);
    return 77; // scripts/verify.mjs: the part could not check anything
  }
  try {
    await parts[part](await loadTarget(name));
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`other-systems: ${error.message}`);
    return 1;
  }
}

/** Why a target's binary cannot run here, or null. */
const whyNot = (name) =>
  name in runtimes ? runtimes[name].missing() : 'no runtime for this system runs here: built, not run';

process.exit(await main(process.argv.slice(2)));
