/** The binary for Linux on x64 with glibc, with CUDA kernels inside. */
import { linuxGlibc } from './linux-glibc.mjs';

export default linuxGlibc({
  name: 'linux-x64-glibc',
  output: 'prebuilds/linux-x64/infcl.glibc.node',
  compiler: 'g++',
  objcopy: 'objcopy',
  programs: { 'g++': 'Debian package g++', objcopy: 'Debian package binutils' },
  cmake: [],
  machine: 'Advanced Micro Devices X86-64',
  loader: 'ld-linux-x86-64.so.2',
});
