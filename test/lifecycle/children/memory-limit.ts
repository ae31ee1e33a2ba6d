/**
 * Calls under an address space limit of ever more bytes above what this process has: each either works or fails with an
 * error that says so. Arrays of the caller's are made before the limit is set, so it is the call that meets it. Needs
 * prlimit (util-linux). Prints how each call ended.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ContrastiveOptions, contrastiveLossAndGrad, contrastiveLossAndGradSync } from '../../../lib';
import { loadBinding } from '../../../lib/native/load';
import { digest, features, solve } from '../problems';

export interface LimitOrder {
  /** Bytes above what the process has. */
  limits: number[];
  rows: number;
  dim: number;
  /** Whether the caller brings the gradient arrays; otherwise the call allocates them. */
  ownOutputs: boolean;
  /** Whether the engine has run before, so that its threads exist. */
  warm: boolean;
}

export interface LimitAnswer {
  /** One per limit: 'fulfilled', or class, code and message of the error. */
  ends: string[];
  /** Digests of a small call after each, with the limit lifted. */
  after: string[];
  expected: string;
}

function limitAddressSpace(soft: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(process.pid), `--as=${soft}:`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

function addressSpace(): number {
  return Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
}

async function endOf(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return 'fulfilled';
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string };
    return `${name} ${code ?? '-'} ${message}`;
  }
}

async function run({ limits, rows, dim, ownOutputs, warm }: LimitOrder): Promise<void> {
  const [queries, keys] = [features(rows, dim, 1), features(rows, dim, 2)];
  const out = { queryGrads: new Float32Array(rows * dim), keyGrads: new Float32Array(rows * dim) };
  const options: ContrastiveOptions = ownOutputs ? { out } : {};
  loadBinding(); // what it is refused before it runs is not the matter here
  if (warm) solve(1);
  const ends: string[] = [];
  const after: string[] = [];
  for (const [i, limit] of limits.entries()) {
    limitAddressSpace(String(addressSpace() + limit));
    ends.push(
      await endOf(async () =>
        i % 2 === 0
          ? contrastiveLossAndGrad(queries, keys, options)
          : contrastiveLossAndGradSync(queries, keys, options),
      ),
    );
    limitAddressSpace('unlimited');
    const small = features(64, 8, 5);
    after.push(digest(await contrastiveLossAndGrad(small, small)));
  }
  const small = features(64, 8, 5);
  const answer: LimitAnswer = { ends, after, expected: digest(contrastiveLossAndGradSync(small, small)) };
  console.log(JSON.stringify(answer));
}

void run(JSON.parse(process.argv[2]!));
