/** Test runners, which load modules in their own ways: Jest in both module systems, Vitest with every kind of worker. */
import { testFile } from './programs.mjs';

const vitestPools = ['forks', 'threads', 'vmThreads'];

export const rows = [
  {
    name: 'Jest, CommonJS and ES modules',
    tools: ['jest@30.5.2'],
    run(project) {
      project.install(...this.tools);
      project.write('jest.config.json', JSON.stringify({ testMatch: ['**/*.test.?js'], transform: {} }));
      project.write('a.test.cjs', testFile("const infcl = require('infcl');"));
      project.write('b.test.mjs', testFile("import * as infcl from 'infcl';"));
      const jest = [
        'node',
        '--experimental-vm-modules',
        'node_modules/jest/bin/jest.js',
        '-c',
        'jest.config.json',
      ];
      project.expectOutput('2 passed, 2 total', ...jest);
    },
  },
  ...[false, true].map((inline) => ({
    name: inline ? 'Vitest, infcl in server.deps.inline' : 'Vitest',
    tools: ['vitest@4.1.12'],
    run(project) {
      project.install(...this.tools);
      project.write(
        'a.test.mjs',
        testFile("import { test } from 'vitest';\nimport * as infcl from 'infcl';"),
      );
      for (const pool of vitestPools) {
        const server = inline ? { deps: { inline: ['infcl'] } } : {};
        const config = { test: { include: ['*.test.mjs'], pool, server } };
        project.write('vitest.config.mjs', `export default ${JSON.stringify(config)};`);
        project.expectOutput('1 passed', 'vitest', 'run', '--no-color');
      }
    },
  })),
];
