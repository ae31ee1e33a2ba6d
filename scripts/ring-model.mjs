/**
 * A model of the ring (docs/scaling.md): how long a call over many ranks takes, and when the ring hides its messages
 * behind the work. Everything that this program prints is a model: no such cluster was at hand.
 *
 *   node scripts/ring-model.mjs                 the tables of docs/scaling.md
 *   node scripts/ring-model.mjs call [options]  one call, with numbers of your own
 *
 *     --ranks 64 --pairs 4194304 --dim 768 --dtype bfloat16 --objective clip
 *     --tflops 400       operations of one rank in a second, in units of 10^12
 *     --gbits 400        what one rank sends in a second, in units of 10^9 bits
 *     --handling 2       microseconds that a rank spends on one message of an agreement
 *
 * What the tables assume stands here, and nowhere else.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { objectives } from './ring/messages.mjs';
import { agreementSeconds, modelEqual, rowsThatHide } from './ring/model.mjs';

const million = 2 ** 20;

/** Machines that nobody has tried. A rate is what a fast program may reach, not what this one reaches. */
const machines = {
  'GPU, bfloat16': { flops: 400e12, dtype: 'bfloat16' },
  'CPU of 64 cores, float32': { flops: 5e12, dtype: 'float32' },
  'CPU of 8 cores, float32': { flops: 0.5e12, dtype: 'float32' },
};
/** Bytes in a second in each direction: 90 % of what a link is called after. */
const links = {
  '10 Gb/s': 1.125e9,
  '25 Gb/s': 2.8e9,
  '100 Gb/s': 11.25e9,
  '400 Gb/s': 45e9,
  'NVLink, 200 GB/s': 200e9,
};
/** The group's thread looks at the network every 100 µs while nothing moves (csrc/comm/mpi/group_thread.cpp). */
const timing = { latency: 5e-6, handling: 2e-6, rest: 100e-6 };

/** The paper's model, ViT-L/14, has features of 768 elements. Its largest batches have 4 and 12 million pairs. */
const dim = 768;
const calls = [
  ['GPU, bfloat16', 4 * million, [8, 32, 128, 512, 1024]],
  ['GPU, bfloat16', 12 * million, [32, 128, 512, 1024]],
  ['CPU of 64 cores, float32', 4 * million, [32, 128, 512, 1024]],
];

const number = (value) => value.toLocaleString('en-US');
/** Two digits, as no digit more of a model means anything. */
function short(value) {
  if (value === 0) return '0';
  return value < 0.005 ? '< 0.01' : Number(value.toPrecision(2)).toLocaleString('en-US');
}
const row = (...fields) => `| ${fields.join(' | ')} |`;
const table = (head, rows) => [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

function tableOfRows() {
  const names = Object.keys(links);
  return table(
    ['rows of a rank, model', ...names],
    Object.entries(machines).map(([machine, { flops, dtype }]) =>
      row(
        machine,
        ...names.map((name) => number(rowsThatHide({ dim, dtype }, { flops, bandwidth: links[name] }))),
      ),
    ),
  );
}

function tableOfCalls(machine, pairs, counts) {
  const { flops, dtype } = machines[machine];
  const names = Object.keys(links).slice(1, 4);
  const rows = counts.map((ranks) => {
    const model = (name) =>
      modelEqual(
        { objective: 'clip', ranks, pairs, dim, dtype },
        { flops, bandwidth: links[name], ...timing },
      );
    const { rows: each, bytes, compute, sentBytes, agreement } = model(names[0]);
    return row(
      ...[ranks, each].map(number),
      ...[bytes / 1e9, compute, sentBytes / 1e9].map(short),
      ...names.map((name) => short(model(name).notHidden)),
      short(agreement),
    );
  });
  return table(
    [
      'ranks',
      'rows each',
      'GB each',
      'compute, s',
      'GB sent each',
      ...names.map((name) => `not hidden at ${name}, s`),
      'agreements, s',
    ],
    rows,
  );
}

/** Every table of docs/scaling.md, which a test compares with that page. */
export function tables() {
  return [
    tableOfRows(),
    ...calls.map((call) => tableOfCalls(...call)),
    table(
      ['ranks', 'one agreement, ms, model'],
      [8, 64, 256, 1024].map((ranks) => row(number(ranks), short(1e3 * agreementSeconds(ranks, timing)))),
    ),
  ];
}

function refuse(text) {
  console.error(`ring-model: ${text}`);
  process.exit(2);
}

function readCall(args) {
  const defaults = { ranks: 64, pairs: 4 * million, dim, tflops: 400, gbits: 400, handling: 2 };
  const words = { dtype: ['bfloat16', 'float16', 'float32'], objective: objectives };
  const options = Object.fromEntries(
    [...Object.keys(defaults), ...Object.keys(words)].map((n) => [n, { type: 'string' }]),
  );
  let values;
  try {
    ({ values } = parseArgs({ args, options }));
  } catch (error) {
    refuse(error.message);
  }
  const call = {};
  for (const [name, value] of Object.entries(defaults)) {
    call[name] = Number(values[name] ?? value);
    const whole = ['ranks', 'pairs', 'dim'].includes(name);
    if (!(call[name] > 0 && Number.isFinite(call[name])) || (whole && !Number.isSafeInteger(call[name])))
      refuse(`--${name} takes a positive ${whole ? 'integer' : 'number'} but received ${values[name]}`);
  }
  for (const [name, all] of Object.entries(words)) {
    call[name] = values[name] ?? (name === 'dtype' ? 'bfloat16' : 'clip');
    if (!all.includes(call[name]))
      refuse(`--${name} takes one of ${all.join(', ')} but received ${call[name]}`);
  }
  if (call.ranks > 4096) refuse(`--ranks takes 4096 at most but received ${call.ranks}`);
  if (call.pairs < call.ranks) refuse(`--pairs takes one pair a rank at least but received ${call.pairs}`);
  return call;
}

function printCall({ tflops, gbits, handling, ...call }) {
  const assumed = {
    ...timing,
    flops: tflops * 1e12,
    bandwidth: (gbits / 8) * 1e9,
    handling: handling * 1e-6,
  };
  const found = modelEqual(call, assumed);
  const seconds = (value) => `${value.toPrecision(3)} s`;
  console.log(`a model, nothing measured: ${call.objective}, ${number(call.pairs)} pairs on ${call.ranks} ranks
rows of a rank         ${number(found.rows)}; messages hide from ${number(rowsThatHide(call, assumed))} on (clip)
features, gradients, slots   ${short(found.bytes / 1e9)} GB a rank
sent to the next rank  ${short(found.sentBytes / 1e9)} GB a rank
compute                ${seconds(found.compute)}
not hidden             ${seconds(found.notHidden)}
agreements             ${seconds(found.agreement)}
in all                 ${seconds(found.total)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [command, ...args] = process.argv.slice(2);
  if (command === undefined) console.log(tables().join('\n\n'));
  else if (command === 'call') printCall(readCall(args));
  else refuse(`expected nothing or call, but received ${command}`);
}
