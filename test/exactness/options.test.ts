/** Every objective and option of option-cases.ts, on every instruction set. */
import { describeAgainstOracle } from './against-oracle';

describeAgainstOracle('options');
