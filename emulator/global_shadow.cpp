#include "global_shadow.h"

#include <sys/mman.h>

#include <new>

namespace infcl::emulator {

// Reserves nothing, so that also sparse allocations of gigabytes have one.
GlobalShadow::GlobalShadow(size_t bytes) : mapping_bytes_((bytes + 1) * sizeof(Cell)) {
  void* mapping = mmap(nullptr, mapping_bytes_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  cells_ = static_cast<Cell*>(mapping);
}

GlobalShadow::~GlobalShadow() { munmap(cells_, mapping_bytes_); }

void GlobalShadow::mark_initialised(size_t offset, size_t n) {
  for (size_t i = 0; i < n; i++) cells_[offset + i].initialised = 1;
}

bool GlobalShadow::is_initialised(size_t offset, size_t n) const {
  for (size_t i = 0; i < n; i++)
    if (!cells_[offset + i].initialised) return false;
  return true;
}

std::optional<GlobalShadow::Conflict> GlobalShadow::touch(size_t offset, size_t n, Access access,
                                                          uint32_t launch, uint32_t block,
                                                          uint32_t instruction) {
  const uint32_t self = block + 1;
  for (Cell* c = cells_ + offset; c < cells_ + offset + n; c++) {
    if (c->launch != launch) {
      uint8_t initialised = c->initialised;
      *c = {};
      c->launch = launch;
      c->initialised = initialised;
    }
    bool both_atomic = access == Access::kAtomic && c->by_atomic;
    if (c->writer && c->writer != self && !both_atomic) return Conflict{c->writer - 1, c->write_at, true};
    if (access == Access::kRead) {
      c->reader = c->reader == 0 || c->reader == self ? self : kMany;
      c->read_at = instruction;
      continue;
    }
    if (c->reader && c->reader != self) return Conflict{c->reader - 1, c->read_at, false};
    c->writer = self;
    c->write_at = instruction;
    c->by_atomic = access == Access::kAtomic;
    c->initialised = 1;
  }
  return std::nullopt;
}

}  // namespace infcl::emulator
