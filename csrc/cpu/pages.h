// Memory straight from the operating system, in whole pages. Each system has a file of its own:
// pages_posix.cpp, pages_win32.cpp. sources.cmake chooses the file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace infcl::cpu {

constexpr int64_t kHugePage = 2 << 20;

// Returns `bytes` zeroed bytes, aligned to a page at least; null where the system has no memory left.
void* map_pages(size_t bytes);
// Gives back what map_pages(bytes) returned.
void unmap_pages(void* data, size_t bytes);
// Asks for huge pages under [data, data + bytes); a hint, never an error.
void advise_huge_pages(void* data, size_t bytes);

}  // namespace infcl::cpu
