// Linux and macOS: anonymous mappings.
#include <sys/mman.h>

#include "cpu/pages.h"

namespace infcl::cpu {

void* map_pages(size_t bytes) {
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return data == MAP_FAILED ? nullptr : data;
}

void unmap_pages(void* data, size_t bytes) { munmap(data, bytes); }

#if defined(MADV_HUGEPAGE)
void advise_huge_pages(void* data, size_t bytes) {
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + bytes) / kHugePage * kHugePage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}
#else
// macOS has no such advice.
void advise_huge_pages(void*, size_t) {}
#endif

}  // namespace infcl::cpu
