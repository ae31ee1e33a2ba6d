/**
 * Every row of the table in docs/hosts.md, executed: the object as its package hands it out, and the line of the page.
 * A row without a case fails, and so does a case without a row.
 */
import { contrastiveLossSync, type Features, isInfclError, packRows } from '../../lib';
import { type Case, flat, shape } from './convention';
import { node24, runOnNode24 } from './node24';
import { packageCases, prepare } from './package-cases';
import { type Row, readRows } from './page';
import { plainCases } from './plain-cases';

const table = readRows();
const cases = [...packageCases, ...plainCases];
const caseOf = ({ convention }: Row) => cases.find((one) => one.convention === convention)!;

const keys = { data: Float32Array.of(1, 2, -1, 3, 2, 2), shape: [3, 2] as const };
const lossOf = (features: unknown) => contrastiveLossSync(features as Features, keys, { logitScale: 1 }).loss;
const expected = lossOf({ data: flat(), shape });

/** Executes the line of the page, with these variables. */
function execute(line: string, names: Record<string, unknown>): Promise<unknown> {
  const parameters = ['packRows', ...Object.keys(names)];
  const body = `return (async () => (${line}))()`;
  return new Function(...parameters, body)(packRows, ...Object.values(names)) as Promise<unknown>;
}

function refusalOf(features: unknown): string {
  try {
    lossOf(features);
  } catch (error) {
    if (isInfclError(error)) return error.message;
    throw error;
  }
  throw new Error('accepted');
}

beforeAll(prepare);

it('every row of the page has one case, and every case a row', () => {
  expect(table.length).toBeGreaterThan(30);
  expect(cases.map(({ convention }) => convention).sort()).toEqual(
    table.map(({ convention }) => convention).sort(),
  );
});

it.each(table)('$convention: the page says which package made the object', (row) => {
  expect(caseOf(row).runWith).toBe(row.runWith);
});

const here = table.filter((row) => caseOf(row)?.node24 === undefined);
const onNode24 = table.filter((row) => caseOf(row)?.node24 !== undefined);

it.each(here)('$convention: $asItComes', async (row) => {
  const { make, names } = caseOf(row) as Case;
  const made = make();
  if (row.asItComes === 'works') {
    expect(row.line).toBe('');
    expect(lossOf(made)).toBe(expected);
    return;
  }
  const message = refusalOf(made);
  if (row.asItComes === 'refused, with the line') {
    const said = /; (.+?) (?:makes|is|takes) /.exec(message)?.[1];
    expect(said).toBeDefined();
    expect(row.line).toContain(said);
  } else {
    expect(row.asItComes).toBe('refused');
  }
  expect(lossOf(await execute(row.line, names!(made as never)))).toBe(expected);
});

(node24 ? it : it.skip).each(onNode24)('$convention: $asItComes, on Node 24', (row) => {
  const keysText = `{ data: Float32Array.of(${keys.data}), shape: [${keys.shape}] }`;
  const code = `const made = ${caseOf(row).node24};
    const { loss } = infcl.contrastiveLossSync(made, ${keysText}, { logitScale: 1 });
    console.log(JSON.stringify({ loss, kind: made.data.constructor.name }));`;
  expect(row.asItComes).toBe('works');
  expect(runOnNode24(code)).toEqual({ loss: expected, kind: 'Float16Array' });
});
