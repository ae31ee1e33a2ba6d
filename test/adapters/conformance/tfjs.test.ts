/** The conformance suite on TensorFlow.js: both backends that run in Node alone, and both kinds of network. */
import { describeHost } from './suite';
import { tfjsHost } from './tfjs-host';

describeHost(tfjsHost('cpu', 'function'));
describeHost(tfjsHost('cpu', 'LayersModel'));
describeHost(tfjsHost('wasm', 'function'));
describeHost(tfjsHost('wasm', 'LayersModel'));
