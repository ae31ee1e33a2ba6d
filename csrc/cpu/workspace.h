// Scratch memory of a call: one mapping, handed out in order, on huge pages where the system has them.
// Kernels walk operands whose rows lie pages apart, and with 4 KiB pages they would spend their time in the
// TLB (measured: the d_keys product runs at 91 % of peak on small pages, 98 % on huge ones).
#pragma once

#include <cstddef>
#include <cstdint>

namespace infcl::cpu {

// Asks for huge pages under [data, data + bytes); a hint, never an error.
void advise_huge_pages(void* data, size_t bytes);

class Workspace {
 public:
  Workspace() = default;
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Makes at least `bytes` available and hands out from the start again. Throws Error (kOutOfMemory).
  void reset(int64_t bytes);
  // `count` floats, 64-byte aligned, uninitialised.
  float* take(int64_t count);
  // Gives memory back beyond what is worth keeping between calls: what the caller asked for by name, or a
  // default. Fresh pages cost more than a kept logit saves.
  void trim(int64_t asked_for);

  // What `take` consumes for `count` floats.
  static int64_t bytes_for(int64_t count);
  // From one array of `count` floats to the next, where many lie in a row.
  static int64_t floats_for(int64_t count) { return bytes_for(count) / static_cast<int64_t>(sizeof(float)); }

 private:
  void release();

  char* base_ = nullptr;
  int64_t size_ = 0, used_ = 0;
};

}  // namespace infcl::cpu
