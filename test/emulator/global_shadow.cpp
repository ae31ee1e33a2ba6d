#include "global_shadow.h"

#include <cstdlib>
#include <new>

namespace infcl::emulator {

GlobalShadow::GlobalShadow(size_t bytes)
    : cells_(static_cast<Cell*>(std::calloc(bytes + 1, sizeof(Cell)))), bytes_(bytes) {
  if (!cells_) throw std::bad_alloc();
}

GlobalShadow::~GlobalShadow() { std::free(cells_); }

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
