/**
 * Tests with the packages of `npm run hosts`, for `npm run test:hosts`. `npm test` leaves this folder out.
 *
 * @type {import('jest').Config}
 */
const base = require('../../jest.config.js');

module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/hosts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
