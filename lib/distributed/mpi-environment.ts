/**
 * Variables that MPI libraries read when they begin, and that infcl sets where the user has not.
 *
 * To be set from JavaScript: Node locks its environment, so no other thread reads a variable meanwhile.
 */

const defaults = {
  // WebAssembly of V8 turns faults of memory into JavaScript errors, by a signal handler. These libraries would put
  // their own handlers in its place, and the process would die.
  UCX_ERROR_SIGNALS: '',
  OMPI_MCA_opal_signal: '',
  // UCX would replace mmap and munmap in the whole process. infcl's messages use few buffers, so it gains nothing.
  UCX_MEM_EVENTS: 'n',
} as const;

export function prepareMpiEnvironment(env: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(defaults)) env[name] ??= value;
}
