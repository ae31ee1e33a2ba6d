/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test', '<rootDir>/examples/test'],
  testMatch: ['**/*.test.ts'],
  // these tests need packages that `npm install` does not install: test/hosts/jest.config.js runs them
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/hosts/'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }] },
  // examples are ES modules, whose relative imports carry the extension of the compiled file
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  testTimeout: 120_000,
  maxWorkers: '100%', // by default one less than there are cores
};
