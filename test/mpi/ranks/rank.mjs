/**
 * What the programs of this folder share: one line of JSON for the test, in one write. Each program is
 * one rank, which a launcher has started.
 */
import fs from 'node:fs';

/** The test reads lines that begin with this word, among those of launchers and of other ranks. */
export const say = (line) => fs.writeSync(1, `RANK ${JSON.stringify(line)}\n`);

/** An error as plain data. */
export const plain = ({ code, message }) => ({ code: code ?? 'none', message });

/** What became of a promise. */
export async function outcome(promise) {
  const begin = performance.now();
  const error = await promise.then(
    () => null,
    (thrown) => plain(thrown),
  );
  return { error, seconds: (performance.now() - begin) / 1e3 };
}
