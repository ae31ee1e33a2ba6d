#include "recycled_bytes.h"

#include <utility>

namespace infcl::emulator {
namespace {

std::vector<std::vector<uint8_t>>& spare_bytes() {
  static thread_local std::vector<std::vector<uint8_t>> spare;
  return spare;
}

}  // namespace

RecycledBytes::RecycledBytes(size_t bytes) {
  auto& spare = spare_bytes();
  if (!spare.empty()) {
    bytes_ = std::move(spare.back());
    spare.pop_back();
  }
  if (bytes_.size() < bytes) bytes_.resize(bytes);
}

RecycledBytes::~RecycledBytes() { spare_bytes().push_back(std::move(bytes_)); }

}  // namespace infcl::emulator
