/** The reader of the NEON kernels' machine code finds what costs time in a loop: tested with made-up disassemblies. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const script = path.join(__dirname, '..', '..', 'scripts', 'binaries', 'neon-loops.mjs');

/** The complaints about a disassembly. Jest does not load modules of its own kind, hence a process. */
function complaintsAbout(text: string): string[] {
  const code = `import { examine } from ${JSON.stringify(pathToFileURL(script).href)};
    let text = ''; for await (const part of process.stdin) text += part;
    console.log(JSON.stringify(examine(text).complaints));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    input: text,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** A function whose only loop has these instructions. */
function withLoop(name: string, body: string[]): string {
  const lines = [...body, 'b.ne\t0 <begin>'].map((code, at) => `   ${(at * 4).toString(16)}:\t${code}`);
  return [`0000000000000000 <${name}<Neon>()>:`, ...lines, ''].join('\n');
}

const repeat = (count: number, code: string) => Array.from({ length: count }, () => code);
const good = [
  ...repeat(8, 'ldp\tq1, q2, [x1]'),
  ...repeat(24, 'ldr\ts3, [x0]'),
  ...repeat(96, 'fmla\tv4.4s, v1.4s, v3.s[0]'),
];
const kernels = (body: string[]) =>
  ['score_micro_tile', 'accumulate_rows', 'accumulate_columns']
    .map((name) => withLoop(name, body))
    .join('\n');
const once = (complaint: string) =>
  ['score_micro_tile', 'accumulate_rows', 'accumulate_columns'].map((name) => `${name}: ${complaint}`);

test('sums in registers are no complaint', () => {
  expect(complaintsAbout(kernels(good))).toEqual([]);
});

test.each([
  ['a sum that is stored on the stack', ['str\tq4, [sp, #16]'], '1 accesses to the stack in a loop'],
  ['a load too many', ['ld1r\t{v3.4s}, [x0]'], '41 loads for 96 multiply-adds'],
  ['too many copies', repeat(17, 'mov\tv1.16b, v2.16b'), '17 copies of vectors for 96 multiply-adds'],
])('%s is a complaint', (_, more, complaint) => {
  expect(complaintsAbout(kernels([...good, ...more]))).toEqual(once(complaint));
});

test('a kernel without its loop is a complaint', () => {
  expect(complaintsAbout('')).toEqual(once('no loop of 96 multiply-adds'));
  expect(complaintsAbout(kernels(good.slice(0, 40)))).toEqual(once('no loop of 96 multiply-adds'));
});
