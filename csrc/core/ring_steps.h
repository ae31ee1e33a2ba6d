// The timeline of a call on the ring: one entry for each visit.
#pragma once

#include <cstdint>

namespace infcl {

struct RingStep {
  enum class Phase { kLimits, kForward, kBackward };

  Phase phase = Phase::kForward;
  int step = 0;  // 0: the rank's own columns; t: guests of the rank t places behind
  double computed_seconds = 0;
  double waited_seconds = 0;  // for messages and for slower ranks
  int64_t bytes_sent = 0;
};

}  // namespace infcl
