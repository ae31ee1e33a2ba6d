// Memory of blocks and warps, which are made anew for every launch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace infcl::emulator {

// Uninitialised bytes, handed on to this thread's next holder: pages fresh from the system cost more than
// many a launch does.
class RecycledBytes {
 public:
  explicit RecycledBytes(size_t bytes);
  ~RecycledBytes();
  RecycledBytes(const RecycledBytes&) = delete;
  RecycledBytes& operator=(const RecycledBytes&) = delete;
  uint8_t* data() { return bytes_.data(); }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace infcl::emulator
