/** No option is without a wrong value that the tests of refusals give it: the reminder for whoever adds an option. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionNames } from '../../lib/loss/objectives';

const tables = readdirSync(__dirname)
  .filter((name) => /^refuse-.*\.test\.ts$/.test(name))
  .map((name) => readFileSync(join(__dirname, name), 'utf8'));

/** Options of which no table of refusals has a value, "name: value" or the name of an expression alone. */
const missing = (names: readonly string[]) =>
  names.filter((name) => !tables.some((text) => new RegExp(`[{,] *${name}(:|[,} ])`).test(text)));

it('knows an option without a refusal', () => {
  expect(missing(['labelSmoothing', 'lossFactor'])).toEqual(['lossFactor']);
});

it('each option has one', () => {
  expect(tables.length).toBeGreaterThan(3);
  expect(missing(optionNames)).toEqual([]);
});
