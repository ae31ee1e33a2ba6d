/** The binary for Linux on arm64 with musl, such as Alpine. */
import { linuxMusl } from './linux-musl.mjs';

const debian = 'Debian package g++-aarch64-linux-gnu';
const tools = {
  compiler: 'aarch64-linux-gnu-g++',
  nm: 'aarch64-linux-gnu-nm',
  ar: 'aarch64-linux-gnu-ar',
};

export default linuxMusl({
  name: 'linux-arm64-musl',
  output: 'prebuilds/linux-arm64/infcl.musl.node',
  processor: 'aarch64',
  debian: 'arm64',
  tools,
  programs: Object.fromEntries(Object.values(tools).map((tool) => [tool, debian])),
  machine: 'AArch64',
  asksProcessor: false,
});
