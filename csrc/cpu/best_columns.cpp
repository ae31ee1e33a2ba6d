#include "cpu/best_columns.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/numerics.h"

namespace infcl::cpu {

namespace {

// A candidate as one number: the smaller number is the better candidate. The upper half falls as the score
// rises, and the lower half is the column.
uint64_t candidate(float score, int64_t column) {
  const float zero_has_no_sign = score + 0.f;
  uint32_t bits;
  std::memcpy(&bits, &zero_has_no_sign, sizeof bits);
  const uint32_t ascending = bits >> 31 ? ~bits : bits | 0x80000000u;
  return static_cast<uint64_t>(~ascending) << 32 | static_cast<uint32_t>(column);
}

int32_t column_of(uint64_t candidate) { return static_cast<int32_t>(candidate & 0xffffffff); }

float score_of(uint64_t candidate) {
  const uint32_t ascending = ~static_cast<uint32_t>(candidate >> 32);
  const uint32_t bits = ascending >> 31 ? ascending & 0x7fffffffu : ~ascending;
  float score;
  std::memcpy(&score, &bits, sizeof score);
  return score;
}

// Twice as many entries as candidates, a power of 2.
int64_t table_size(int64_t candidates) {
  int64_t size = 1;
  while (size < 2 * candidates) size *= 2;
  return size;
}

}  // namespace

// A cut reads k candidates again, so more of them wait where k is large.
int64_t waiting_candidates(int64_t k) {
  constexpr int64_t kFew = 64, kMany = 1024;
  return std::max(std::clamp(k, kFew, kMany), k / 8);
}

BestColumnsRoom best_columns_room(int64_t k, bool groups) {
  const int64_t waiting = waiting_candidates(k);
  BestColumnsRoom room;
  room.of_row = 4 + 2 * waiting;
  room.table_size = groups ? table_size(k + waiting) : 0;
  room.of_cut = 2 * (k + waiting) + room.table_size;
  return room;
}

// Candidates come first: they need the strictest alignment, and `memory` has it.
BestColumnsMemory BestColumnsMemory::in(float* memory, int64_t rows, int64_t k) {
  BestColumnsMemory m{};
  m.candidates = reinterpret_cast<uint64_t*>(memory);
  float* const rest = memory + 2 * rows * waiting_candidates(k);
  m.limits = rest;
  m.most = rest + rows;
  m.kept = reinterpret_cast<int32_t*>(rest + 2 * rows);
  m.waiting = m.kept + rows;
  return m;
}

BestColumns::BestColumns(const TopKArgs& args, const BestColumnsRoom& room, float* scratch)
    : a_(args),
      most_waiting_(waiting_candidates(args.k)),
      all_(reinterpret_cast<uint64_t*>(scratch)),
      table_(reinterpret_cast<int32_t*>(scratch + 2 * (args.k + most_waiting_))),
      table_size_(room.table_size) {}

void BestColumns::begin(const BestColumnsMemory& m, Row r) const {
  m.limits[r.at] = kMaskedDot;
  m.most[r.at] = a_.limits ? a_.limits[r.row] : HUGE_VALF;
  m.kept[r.at] = m.waiting[r.at] = 0;
}

bool BestColumns::add(const BestColumnsMemory& m, Row r, float score, int64_t column) const {
  if (!(score > m.limits[r.at])) return false;  // a cut since the caller's check has raised the limit
  m.candidates[r.at * most_waiting_ + m.waiting[r.at]] = candidate(score, column);
  if (++m.waiting[r.at] < most_waiting_) return false;
  cut(m, r);
  return true;
}

void BestColumns::cut(const BestColumnsMemory& m, Row r) const {
  int64_t count = gather(m, r);
  if (a_.groups) count = keep_best_of_groups(count);
  if (count > a_.k) {
    std::nth_element(all_, all_ + a_.k - 1, all_ + count);
    count = a_.k;
  }
  keep(m, r, count);
}

int64_t BestColumns::gather(const BestColumnsMemory& m, Row r) const {
  const int64_t kept = m.kept[r.at], waiting = m.waiting[r.at];
  for (int64_t n = 0; n < kept; ++n) all_[n] = candidate(scores(r)[n], indices(r)[n]);
  const uint64_t* const more = m.candidates + r.at * most_waiting_;
  std::copy(more, more + waiting, all_ + kept);
  return kept + waiting;
}

int64_t BestColumns::keep_best_of_groups(int64_t count) const {
  std::fill(table_, table_ + table_size_, -1);
  int64_t left = 0;
  for (int64_t n = 0; n < count; ++n) {
    const int32_t group = a_.groups[column_of(all_[n])];
    const uint32_t hash = static_cast<uint32_t>(group) * 2654435769u;
    int64_t at = static_cast<int64_t>(hash * static_cast<uint64_t>(table_size_) >> 32);
    while (table_[at] >= 0 && a_.groups[column_of(all_[table_[at]])] != group)
      at = (at + 1) & (table_size_ - 1);
    if (table_[at] < 0) {
      table_[at] = static_cast<int32_t>(left);
      all_[left++] = all_[n];
    } else {
      uint64_t& best = all_[table_[at]];
      best = std::min(best, all_[n]);
    }
  }
  return left;
}

void BestColumns::keep(const BestColumnsMemory& m, Row r, int64_t count) const {
  for (int64_t n = 0; n < count; ++n) {
    scores(r)[n] = score_of(all_[n]);
    indices(r)[n] = column_of(all_[n]);
  }
  m.kept[r.at] = static_cast<int32_t>(count);
  m.waiting[r.at] = 0;
  // Later columns of the same score come after the k best, so a candidate must be above the least of them.
  if (count == a_.k) m.limits[r.at] = score_of(*std::max_element(all_, all_ + count));
}

void BestColumns::finish(const BestColumnsMemory& m, Row r) const {
  cut(m, r);
  const int64_t count = m.kept[r.at];
  std::sort(all_, all_ + count);
  keep(m, r, count);
  std::fill(scores(r) + count, scores(r) + a_.k, -HUGE_VALF);
  std::fill(indices(r) + count, indices(r) + a_.k, -1);
}

}  // namespace infcl::cpu
