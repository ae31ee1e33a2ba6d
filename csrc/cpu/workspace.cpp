// Maps memory in whole huge pages.
#include "cpu/workspace.h"

#include <algorithm>
#include <string>

#include "core/errors.h"
#include "core/grid.h"
#include "cpu/pages.h"

namespace infcl::cpu {

namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kKeptBetweenCalls = 128ll << 20;

}  // namespace

Workspace::~Workspace() { release(); }

void Workspace::release() {
  if (base_) unmap_pages(base_, static_cast<size_t>(size_));
  base_ = nullptr;
  size_ = used_ = 0;
}

void Workspace::reset(int64_t bytes) {
  used_ = 0;
  if (bytes <= size_) return;
  release();
  const int64_t size = round_up(bytes, kHugePage);
  void* p = map_pages(static_cast<size_t>(size));
  if (!p)
    throw Error(ErrorCode::kOutOfMemory, "workspace",
                "cannot allocate " + std::to_string(size) + " bytes of scratch memory; lower workspaceBytes");
  base_ = static_cast<char*>(p);
  size_ = size;
  advise_huge_pages(base_, static_cast<size_t>(size_));
}

float* Workspace::take(int64_t count) {
  const int64_t bytes = bytes_for(count);
  if (used_ + bytes > size_) throw Error(ErrorCode::kInternal, "workspace", "workspace exceeds its plan");
  float* p = reinterpret_cast<float*>(base_ + used_);
  used_ += bytes;
  return p;
}

void Workspace::trim(int64_t asked_for) {
  if (size_ > std::max(kKeptBetweenCalls, round_up(asked_for, kHugePage))) release();
}

int64_t Workspace::bytes_for(int64_t count) {
  return round_up(count * static_cast<int64_t>(sizeof(float)), kAlignment);
}

}  // namespace infcl::cpu
