// node-gyp-build ships no types: given a package's root it loads build/Release or the prebuild that fits.
declare module 'node-gyp-build' {
  function load(packageRoot: string): unknown;
  export = load;
}
