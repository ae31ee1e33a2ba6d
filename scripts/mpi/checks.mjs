/** What the scenarios share: how a rank is started, and complaints about what does not hold. */

export const node = (program, ...args) => [process.execPath, `test/mpi/ranks/${program}.mjs`, ...args];

/** The `timeout` of test/mpi/ranks/failures.mjs and the 0.5 s of the question, in seconds. */
export const patience = 2.5;
/** A machine that does other work beside may be late by this. The promise is 1 s. */
export const grace = 5;

/** Complaints about what does not hold. */
export const check = (...pairs) => pairs.flatMap(([holds, complaint]) => (holds ? [] : [complaint]));

export const show = (value) => JSON.stringify(value)?.slice(0, 500);

export function checkEnd({ hung, status, lines, output }, ranks, succeeds) {
  return check(
    [!hung, 'the watchdog had to end the job'],
    [(status === 0) === succeeds, `exit status ${status}, output ${output.slice(-1500)}`],
    [lines.length === ranks, `${lines.length} of ${ranks} ranks said something: ${output.slice(-1500)}`],
  );
}
