/**
 * An environment of jest whose typed arrays are those of Node itself. ONNX Runtime makes arrays outside of jest's
 * realm, and refuses arrays of another class inside.
 */
const { TestEnvironment } = require('jest-environment-node');

const { prototype } = Object.getPrototypeOf(Uint8Array);
const names = Object.getOwnPropertyNames(globalThis).filter((name) =>
  Object.prototype.isPrototypeOf.call(prototype, globalThis[name]?.prototype ?? {}),
);

module.exports = class extends TestEnvironment {
  constructor(...options) {
    super(...options);
    for (const name of names) this.global[name] = globalThis[name];
  }
};
