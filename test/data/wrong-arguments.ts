/** The errors of wrong arguments, for tables of refusals. */

import type { Thrown } from '../lib/fake-binding';

const bad = (type: typeof Error, code: string, message: RegExp): Thrown => ({ type, code, message });
export const wrongType = (message: RegExp) => bad(TypeError, 'ERR_TYPE', message);
export const wrongValue = (message: RegExp) => bad(RangeError, 'ERR_VALUE', message);
export const wrongOption = (message: RegExp) => bad(TypeError, 'ERR_OPTION', message);
export const wrongShape = (message: RegExp) => bad(RangeError, 'ERR_SHAPE', message);
export const wrongEncoder = (message: RegExp) => bad(TypeError, 'ERR_ENCODER', message);
