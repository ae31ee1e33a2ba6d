/**
 * Errors that the person who runs the demo can mend. The message is one line that says what is wrong and what to do; the
 * demo prints only this line. Refuses defects of the demo: they stay plain errors, whose stack trace is printed.
 */

/** Ends the demo with exit code 2. */
export class DemoError extends Error {}

/** A flag that cannot be, or data that cannot be used. */
export class UsageError extends DemoError {}

/** A saved file that is damaged, is of another kind, or belongs to another run. */
export class CheckpointError extends DemoError {}

/** A file or folder that cannot be written. */
export class OutputError extends DemoError {}
