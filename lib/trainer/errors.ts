/** Errors of the trainer: a TypeError or RangeError that carries a `code` programs can switch on. */

export type TrainerErrorCode = 'ERR_SHAPE' | 'ERR_DTYPE' | 'ERR_CHUNKS' | 'ERR_ENCODER';

export function trainerError(code: TrainerErrorCode, message: string): Error & { code: TrainerErrorCode } {
  const Base = code === 'ERR_DTYPE' || code === 'ERR_ENCODER' ? TypeError : RangeError;
  return Object.assign(new Base(message), { code });
}
