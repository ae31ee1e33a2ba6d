/** The logit scales that a call can have: its own, and that of a teacher. */

/**
 * In this range a masked pair weighs nothing, and float32 can represent the products with the
 * scale (docs/numerics.md).
 */
export const scaleRange = { least: 1e-25, most: 1e30 };
