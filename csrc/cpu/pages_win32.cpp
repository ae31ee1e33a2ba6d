// Windows: committed pages. Large pages need a privilege that few accounts have, so nothing asks for them.
#include <windows.h>

#include "cpu/pages.h"

namespace infcl::cpu {

void* map_pages(size_t bytes) {
  return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void unmap_pages(void* data, size_t) { VirtualFree(data, 0, MEM_RELEASE); }

void advise_huge_pages(void*, size_t) {}

}  // namespace infcl::cpu
