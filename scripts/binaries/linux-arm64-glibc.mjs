/** The binary for Linux on arm64 with glibc, with CUDA kernels inside: GH200 and DGX Spark have arm64 processors. */
import { linuxGlibc } from './linux-glibc.mjs';

const debian = 'Debian package g++-aarch64-linux-gnu';

export default linuxGlibc({
  name: 'linux-arm64-glibc',
  output: 'prebuilds/linux-arm64/infcl.glibc.node',
  compiler: 'aarch64-linux-gnu-g++',
  objcopy: 'aarch64-linux-gnu-objcopy',
  programs: { 'aarch64-linux-gnu-g++': debian, 'aarch64-linux-gnu-objcopy': debian },
  cmake: ['-DCMAKE_SYSTEM_NAME=Linux', '-DCMAKE_SYSTEM_PROCESSOR=aarch64'],
  machine: 'AArch64',
  loader: 'ld-linux-aarch64.so.1',
});
