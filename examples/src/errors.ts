/**
 * Errors for the person who runs the demo: the message is one line that says what is wrong and what to do, and the
 * class says the exit code. Refuses defects of the demo: those stay plain errors, whose stack is worth printing.
 */

export class DemoError extends Error {
  readonly exitCode = 2;
}

/** A flag that cannot be, or data that cannot be used. */
export class UsageError extends DemoError {}

/** A saved file that is damaged, is of another kind, or belongs to another run. */
export class CheckpointError extends DemoError {}

/** A file or folder that cannot be written. */
export class OutputError extends DemoError {}
