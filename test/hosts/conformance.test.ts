/**
 * The conformance suite on the hosts whose packages are in this folder.
 *
 * @jest-environment ./test/hosts/one-realm.js
 */
import { describeHost } from '../adapters/conformance/suite';
import { onnxHost } from './onnx-host';

describeHost(onnxHost);
