// Decisions read from a string of bytes: libFuzzer's, or those of a small generator with a seed. When the
// bytes are used up every decision is the first choice, so that any string is a whole case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fuzz {

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  uint8_t byte() { return at_ < size_ ? data_[at_++] : 0; }
  bool flag() { return byte() & 1; }
  // True about once in n.
  bool rarely(int n) { return byte() % n == n - 1; }
  int64_t below(int64_t n) { return static_cast<int64_t>((byte() | byte() << 8) % n); }
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  double unit() { return static_cast<double>(below(65536)) / 65536; }  // [0, 1)
  uint64_t word() {
    uint64_t w = 0;
    for (int i = 0; i < 8; ++i) w = w << 8 | byte();
    return w;
  }

 private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

// xorshift64*: features, which would use up a fuzzer's bytes in no time, and the bytes of a seeded case.
class Generator {
 public:
  explicit Generator(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ull + 0x2545F4914F6CDD1Dull) {
    for (int i = 0; i < 4; ++i) next();
  }
  uint64_t next() {
    if (state_ == 0) state_ = 1;
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Dull;
  }
  double unit() { return static_cast<double>(next() >> 11) / 9007199254740992.; }

 private:
  uint64_t state_;
};

inline std::vector<uint8_t> seeded_bytes(uint64_t seed, size_t size = 256) {
  Generator generator(seed);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(generator.next() >> 56);
  return bytes;
}

}  // namespace fuzz
