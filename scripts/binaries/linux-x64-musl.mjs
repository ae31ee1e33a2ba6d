/** The binary for Linux on x64 with musl, such as Alpine. */
import { linuxMusl } from './linux-musl.mjs';

export default linuxMusl({
  name: 'linux-x64-musl',
  output: 'prebuilds/linux-x64/infcl.musl.node',
  processor: 'x86_64',
  debian: 'amd64',
  tools: { compiler: 'g++', nm: 'nm', ar: 'ar' },
  programs: { 'g++': 'Debian package g++', nm: 'Debian package binutils', ar: 'Debian package binutils' },
  machine: 'Advanced Micro Devices X86-64',
  asksProcessor: true,
});
