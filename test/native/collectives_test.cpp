// Collectives and agreement over ranks that are threads, against loops over all values.
#include "comm/collectives.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/field_agreement.h"
#include "rank_hub.h"

using namespace infcl;
using namespace infcl::comm;
using ranks::Hub;
using ranks::Rank;

namespace {

// Runs `body` on all ranks. A rank that left first would break the group, while others wait for their last
// message.
void on_all_ranks(Hub& hub, int size, mpi::Patience patience, const std::function<void(Rank&)>& body) {
  std::atomic<int> busy{size};
  ranks::run_ranks(hub, size, patience, [&](Rank& r) {
    body(r);
    --busy;
    while (busy > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
}

constexpr mpi::Patience kPatience{60, 0.5, 0.1, 5, 60};

template <class T>
T value_of(int rank, int64_t i) {
  const int64_t hashed = (i * 2654435761 + rank * 40503 + 17) % 1009;
  return static_cast<T>(std::is_floating_point_v<T> ? static_cast<double>(hashed) / 7 - 70 : hashed - 500);
}

template <class T>
std::vector<T> values_of(int rank, int64_t count) {
  std::vector<T> values(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) values[static_cast<size_t>(i)] = value_of<T>(rank, i);
  return values;
}

// In the order of ranks, in float64.
template <class T>
T expected(Reduction reduction, int ranks, int64_t i) {
  double result = static_cast<double>(value_of<T>(0, i));
  for (int r = 1; r < ranks; ++r) {
    const auto v = static_cast<double>(value_of<T>(r, i));
    result = reduction == Reduction::kSum   ? result + v
             : reduction == Reduction::kMin ? std::min(result, v)
                                            : std::max(result, v);
  }
  return static_cast<T>(
      static_cast<std::conditional_t<std::is_floating_point_v<T>, double, int64_t>>(result));
}

template <class T>
void test_reduce(Element element) {
  for (int n = 1; n <= 4; ++n) {
    Hub hub(n);
    on_all_ranks(hub, n, kPatience, [&](Rank& r) {
      for (const Reduction reduction : {Reduction::kSum, Reduction::kMin, Reduction::kMax})
        for (const int64_t count : {0, 1, 3, 1000}) {
          std::vector<T> values = values_of<T>(r.rank(), count);
          all_reduce(r.communicator, element, reduction, values.data(), count, {});
          int64_t wrong = 0;
          for (int64_t i = 0; i < count; ++i)
            wrong += values[static_cast<size_t>(i)] != expected<T>(reduction, n, i);
          CHECK(wrong == 0, "element %d, reduction %d, %d ranks, %ld values: %ld wrong", (int)element,
                (int)reduction, n, (long)count, (long)wrong);
        }
    });
  }
}

// More than one round, and more than one piece.
void test_large_sum() {
  const int64_t count = (int64_t{32} << 20) / 4 + 1001;
  Hub hub(2);
  on_all_ranks(hub, 2, kPatience, [&](Rank& r) {
    std::vector<float> values = values_of<float>(r.rank(), count);
    all_reduce(r.communicator, Element::kFloat32, Reduction::kSum, values.data(), count, {});
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; ++i)
      wrong += values[static_cast<size_t>(i)] != expected<float>(Reduction::kSum, 2, i);
    CHECK(wrong == 0, "%ld wrong", (long)wrong);
  });
}

void test_special_values() {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  Hub hub(3);
  on_all_ranks(hub, 3, kPatience, [&](Rank& r) {
    for (const Reduction reduction : {Reduction::kSum, Reduction::kMin, Reduction::kMax}) {
      // NaN on each rank in turn; -0 on all
      float values[4] = {r.rank() == 0 ? kNaN : 1, r.rank() == 1 ? kNaN : 1, r.rank() == 2 ? kNaN : 1, -0.f};
      all_reduce(r.communicator, Element::kFloat32, reduction, values, 4, {});
      CHECK(std::isnan(values[0]) && std::isnan(values[1]) && std::isnan(values[2]), "reduction %d",
            (int)reduction);
      CHECK(values[3] == 0 && std::signbit(values[3]), "reduction %d", (int)reduction);
    }
    int32_t wraps = std::numeric_limits<int32_t>::max();
    all_reduce(r.communicator, Element::kInt32, Reduction::kSum, &wraps, 1, {});
    CHECK(wraps == std::numeric_limits<int32_t>::max() - 2, "%d", wraps);
    // 1e8 + 1 - 1e8 is 1 in float64, whatever the order of float32
    float sum = r.rank() == 0 ? 1e8f : r.rank() == 1 ? 1.f : -1e8f;
    all_reduce(r.communicator, Element::kFloat32, Reduction::kSum, &sum, 1, {});
    CHECK(sum == 1, "%g", sum);
  });
}

void test_copies() {
  for (int n = 1; n <= 4; ++n) {
    Hub hub(n);
    on_all_ranks(hub, n, kPatience, [n](Rank& r) {
      for (const int64_t count : {0, 1, 2, 5, 100003}) {
        for (int root = 0; root < n; ++root) {
          std::vector<double> values = values_of<double>(r.rank(), count);
          broadcast(r.communicator, root, values.data(), values.size() * sizeof(double), {});
          CHECK(values == values_of<double>(root, count), "root %d of %d, %ld values", root, n, (long)count);
        }
        const std::vector<double> mine = values_of<double>(r.rank(), count);
        std::vector<double> all(static_cast<size_t>(count * n));
        all_gather_large(r.communicator, mine.data(), mine.size() * sizeof(double), all.data(), {});
        for (int from = 0; from < n; ++from) {
          const auto begin = all.begin() + from * count;
          CHECK(std::vector<double>(begin, begin + count) == values_of<double>(from, count), "from %d of %d",
                from, n);
        }
      }
    });
  }
}

std::string error_of(Rank& r, const std::vector<infcl::Field>& fields, const std::string& refusal,
                     ErrorCode code) {
  try {
    const infcl::FieldAgreement agreement(r.communicator, fields, refusal, {});
    if (refusal.empty()) agreement.check();
    return "";
  } catch (const Error& e) {
    return e.code() == code ? e.what() : std::string("another code: ") + e.what();
  }
}

void test_agreement() {
  Hub hub(3);
  on_all_ranks(hub, 3, kPatience, [](Rank& r) {
    const auto fields = [](const std::string& call, int64_t length) {
      return std::vector<infcl::Field>{{"call", call, ErrorCode::kValue},
                                       {"values.length", std::to_string(length), ErrorCode::kShape}};
    };
    CHECK(error_of(r, fields("allReduce", 5), "", ErrorCode::kShape).empty(), "equal calls");
    std::string error = error_of(r, fields("allReduce", r.rank() == 2 ? 6 : 5), "", ErrorCode::kShape);
    CHECK(error ==
              "[group] Expected the same on all ranks but received values.length: 6 on rank 2, 5 on rank 0",
          "%s", error.c_str());
    // ranks 1 and 2 differ in different fields: the first field counts
    error = error_of(r, fields(r.rank() == 2 ? "barrier" : "allReduce", r.rank() == 1 ? 6 : 5), "",
                     ErrorCode::kValue);
    CHECK(error ==
              "[group] Expected the same on all ranks but received call: barrier on rank 2, allReduce on "
              "rank 0",
          "%s", error.c_str());
    // calls with other numbers of fields
    const std::vector<infcl::Field> fewer{{"call", "allReduce", ErrorCode::kValue}};
    error = error_of(r, r.rank() == 1 ? fewer : fields("allReduce", 5), "",
                     r.rank() == 1 ? ErrorCode::kValue : ErrorCode::kShape);
    CHECK(error.find("received values.length: nothing on rank 1, 5 on rank 0") != std::string::npos, "%s",
          error.c_str());
    error = error_of(r, fields("allReduce", 5), r.rank() == 1 ? "Expected typed array for values" : "",
                     ErrorCode::kRankFailed);
    CHECK(r.rank() == 1 ? error.empty() : error == "[group] rank 1 failed: Expected typed array for values",
          "%s", error.c_str());
    // a text that is too long is cut, and the group is usable after all that
    error = error_of(r, fields("x", 1), r.rank() == 0 ? std::string(3000, 'x') : "", ErrorCode::kRankFailed);
    CHECK(r.rank() == 0 ? error.empty() : error.size() > 2000 && error.size() < 2100, "%zu", error.size());
    CHECK(error_of(r, fields("allReduce", 5), "", ErrorCode::kShape).empty(), "equal calls again");
  });
}

}  // namespace

int main() {
  test_reduce<float>(Element::kFloat32);
  test_reduce<double>(Element::kFloat64);
  test_reduce<int32_t>(Element::kInt32);
  test_large_sum();
  test_special_values();
  test_copies();
  test_agreement();
  return check::summary();
}
