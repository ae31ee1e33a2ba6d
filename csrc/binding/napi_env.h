// The one door to Node-API: every binding file includes it in place of napi.h, so that all agree on the
// switches.
#pragma once

// While worker.terminate() tears an environment down, Node-API refuses to throw. node-addon-api then ends the
// process unless told that this is expected.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS

#include <napi.h>
