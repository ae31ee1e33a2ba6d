/** Whether arrays hold finite numbers only, at a price that each training step can pay. Refuses to say which are not. */

export function allFinite(values: Float32Array): boolean {
  // a finite number times zero is zero, NaN and infinity times zero are NaN, and a sum keeps NaN
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
  return sum === 0;
}
