// What a device must bear beyond right answers: many calls, an abort in the middle, more than its memory.
#pragma once

namespace infcl {
class Backend;
}

namespace infcl::bench {

void check_device(Backend& cuda, bool quick);

}  // namespace infcl::bench
