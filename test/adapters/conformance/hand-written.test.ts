/** The conformance suite on an encoder without a framework. */
import { handWrittenHost } from './hand-written';
import { describeHost } from './suite';

describeHost(handWrittenHost);
