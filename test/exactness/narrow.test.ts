/** 16-bit features and products in bfloat16 (narrowCases of option-cases.ts), on every instruction set. */
import { describeAgainstOracle } from './against-oracle';

describeAgainstOracle('narrow');
