#include "comm/collectives.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <vector>

namespace infcl::comm {

namespace {

// Bytes that one round of a sum takes, and so the memory beside the values.
constexpr size_t kRoundBytes = size_t{32} << 20;

// Segment `rank` of `count` elements that are cut into one segment a rank.
struct Segment {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

Segment segment(int64_t count, int ranks, int rank) {
  return {count * rank / ranks, count * (rank + 1) / ranks};
}

int wrap(int rank, int ranks) { return (rank % ranks + ranks) % ranks; }

// Ends exchanges also where one of them fails: until then, messages use the caller's memory.
class Exchanges {
 public:
  Exchanges(Communicator& group, const Control& control) : group_(group), control_(control) {}
  ~Exchanges() {
    while (begun_ > 0) {
      try {
        end_one();
      } catch (const Error&) {
        // The first error is on its way to the caller.
      }
    }
  }
  void begin(int distance, ConstBytes out, Bytes in) {
    group_.begin_exchange(distance, out, in);
    ++begun_;
  }
  void end() {
    while (begun_ > 0) end_one();
  }

 private:
  void end_one() {
    --begun_;
    group_.end_exchange(control_);
  }

  Communicator& group_;
  const Control& control_;
  int begun_ = 0;
};

// Every rank has its own segment of `values` and receives all others.
void gather_segments(Communicator& group, char* values, int64_t count, size_t width, const Control& control) {
  const int n = group.size(), me = group.rank();
  const auto bytes = [&](int rank) -> Bytes {
    const Segment s = segment(count, n, rank);
    return {values + static_cast<size_t>(s.begin) * width, static_cast<size_t>(s.size()) * width};
  };
  const Bytes mine = bytes(me);
  Exchanges exchanges(group, control);
  for (int distance = 1; distance < n; ++distance)
    exchanges.begin(distance, {mine.data, mine.size}, bytes(wrap(me - distance, n)));
  exchanges.end();
}

template <class T>
T smaller(T a, T b) {
  return b < a || b != b ? b : a;
}
template <class T>
T larger(T a, T b) {
  return a < b || b != b ? b : a;
}

// The type in which values of T are added up.
template <class T>
using Sum = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;

// parts[r] points to the values of rank r. `out` may be one of the parts.
template <class T>
void reduce(Reduction reduction, const std::vector<const T*>& parts, int64_t count, T* out) {
  for (int64_t i = 0; i < count; ++i) {
    if (reduction == Reduction::kSum) {
      auto sum = static_cast<Sum<T>>(parts[0][i]);
      for (size_t r = 1; r < parts.size(); ++r) sum += static_cast<Sum<T>>(parts[r][i]);
      out[i] = static_cast<T>(sum);
    } else {
      T best = parts[0][i];
      for (size_t r = 1; r < parts.size() && best == best; ++r)
        best = reduction == Reduction::kMin ? smaller(best, parts[r][i]) : larger(best, parts[r][i]);
      out[i] = best;
    }
  }
}

// Each rank receives its segment from all others, reduces it, and sends it to all others.
template <class T>
void reduce_round(Communicator& group, Reduction reduction, T* values, int64_t count,
                  std::vector<T>& received, const Control& control) {
  const int n = group.size(), me = group.rank();
  const Segment own = segment(count, n, me);
  const auto length = static_cast<size_t>(own.size());
  received.resize(length * static_cast<size_t>(n));
  std::vector<const T*> parts(static_cast<size_t>(n));
  parts[static_cast<size_t>(me)] = values + own.begin;
  {
    Exchanges exchanges(group, control);
    for (int distance = 1; distance < n; ++distance) {
      const Segment other = segment(count, n, wrap(me + distance, n));
      const auto from = static_cast<size_t>(wrap(me - distance, n));
      T* const place = received.data() + from * length;
      parts[from] = place;
      exchanges.begin(distance, {values + other.begin, static_cast<size_t>(other.size()) * sizeof(T)},
                      {place, length * sizeof(T)});
    }
    exchanges.end();
  }
  reduce(reduction, parts, own.size(), values + own.begin);
  gather_segments(group, reinterpret_cast<char*>(values), count, sizeof(T), control);
}

template <class T>
void reduce_all(Communicator& group, Reduction reduction, T* values, int64_t count, const Control& control) {
  if (group.size() == 1) return;
  constexpr auto kRound = static_cast<int64_t>(kRoundBytes / sizeof(T));
  std::vector<T> received;
  for (int64_t begin = 0; begin < count; begin += kRound)
    reduce_round(group, reduction, values + begin, std::min(kRound, count - begin), received, control);
}

}  // namespace

void all_reduce(Communicator& group, Element element, Reduction reduction, void* values, int64_t count,
                const Control& control) {
  switch (element) {
    case Element::kFloat32:
      return reduce_all(group, reduction, static_cast<float*>(values), count, control);
    case Element::kFloat64:
      return reduce_all(group, reduction, static_cast<double*>(values), count, control);
    case Element::kInt32:
      return reduce_all(group, reduction, static_cast<int32_t*>(values), count, control);
    case Element::kUint8:
      return reduce_all(group, reduction, static_cast<uint8_t*>(values), count, control);
  }
}

// The root gives a segment to each rank, and the ranks give their segments to each other: the root does not
// send all bytes to all.
void broadcast(Communicator& group, int root, void* values, size_t bytes, const Control& control) {
  const int n = group.size(), me = group.rank();
  if (n == 1) return;
  char* const data = static_cast<char*>(values);
  const auto count = static_cast<int64_t>(bytes);
  {
    Exchanges exchanges(group, control);
    for (int distance = 1; distance < n; ++distance) {
      const Segment to = segment(count, n, wrap(me + distance, n)), own = segment(count, n, me);
      const ConstBytes out{data + to.begin, me == root ? static_cast<size_t>(to.size()) : 0};
      const bool from_root = wrap(me - distance, n) == root;
      exchanges.begin(distance, out, {data + own.begin, from_root ? static_cast<size_t>(own.size()) : 0});
    }
    exchanges.end();
  }
  gather_segments(group, data, count, 1, control);
}

void all_gather_large(Communicator& group, const void* mine, size_t bytes, void* all,
                      const Control& control) {
  const int n = group.size(), me = group.rank();
  char* const into = static_cast<char*>(all);
  if (bytes > 0) std::memcpy(into + static_cast<size_t>(me) * bytes, mine, bytes);
  Exchanges exchanges(group, control);
  for (int distance = 1; distance < n; ++distance)
    exchanges.begin(distance, {mine, bytes},
                    {into + static_cast<size_t>(wrap(me - distance, n)) * bytes, bytes});
  exchanges.end();
}

}  // namespace infcl::comm
