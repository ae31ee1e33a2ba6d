/**
 * The binary for macOS on arm64: built, not run. No machine of this project runs macOS, so the checks read the file alone.
 * macOS has no CUDA.
 */
import { run } from './command.mjs';
import { checkMachO } from './macho-gates.mjs';
import { compileSources, readSources } from './sources.mjs';
import { missingForZig, sourcesForZig, zigCompiler } from './zig.mjs';

/** Oldest macOS on which the binary must start: the first one for arm64. */
const oldest = '11.0';

export default {
  name: 'darwin-arm64',
  output: 'prebuilds/darwin-arm64/infcl.node',
  missing: () => missingForZig(),
  async build({ root, work, output }) {
    const compiler = zigCompiler(root, `aarch64-macos.${oldest}`);
    const { kernels, core, binding } = readSources(root, { processor: 'arm64', system: 'DARWIN' });
    const sources = sourcesForZig([...kernels, ...core, ...binding]);
    const objects = await compileSources({ root, work, compiler, sources });
    run(compiler[0], [
      ...compiler.slice(1),
      // Names of Node-API are found in the process that loads the addon.
      ...['-shared', '-undefined', 'dynamic_lookup', '-dead_strip', '-s'],
      ...['-Wl,-install_name,@rpath/infcl.node', ...objects, '-o', output],
    ]);
  },
  check: (file, root) =>
    checkMachO(file, { oldest, libraries: ['/usr/lib/libSystem.B.dylib'], bytes: 1.5e6, root }),
};
