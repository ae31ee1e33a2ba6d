/**
 * `node -r test/child/register-typescript.cjs some.ts`: lets a child process of a test or a bench run the TypeScript
 * sources under test, as Jest does, so that no stale dist/ is measured instead. Checks no types.
 */
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

const options = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
};

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename });
  module._compile(code, filename);
};
