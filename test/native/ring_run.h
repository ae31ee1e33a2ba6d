// One problem, solved by ranks that are threads of this process. Each rank gets its shard of every array.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "comm/thread_ring.h"
#include "core/backends.h"
#include "engine_run.h"

namespace ring {

using infcl::Backend;
using infcl::Communicator;

// Where each rank's rows begin; the last number is the number of rows.
using Bounds = std::vector<int64_t>;

// Uneven shards: the rank r has about r + 1 parts, each rank one row at least.
inline Bounds uneven(int64_t rows, int ranks) {
  Bounds b{0};
  const int64_t parts = static_cast<int64_t>(ranks) * (ranks + 1) / 2, spare = rows - ranks;
  for (int64_t r = 1; r <= ranks; ++r) b.push_back(r + spare * (r * (r + 1) / 2) / parts);
  return b;
}

struct Shard {
  int64_t query_begin, query_end, key_begin, key_end;
  int64_t queries() const { return query_end - query_begin; }
  int64_t keys() const { return key_end - key_begin; }
};

inline infcl::MatrixView cut(infcl::MatrixView m, int64_t begin, int64_t end) {
  m.data = m.row(begin);
  m.rows = end - begin;
  return m;
}

template <class T>
T* from(T* all, int64_t begin) {
  return all ? all + begin : nullptr;
}

// The request of one rank. Outputs are the rank's part of the outputs of `r`.
inline infcl::ContrastiveRequest shard_of(infcl::ContrastiveRequest r, const Shard& s) {
  const int64_t per_query = r.hard_negatives_per_query, dim = r.queries.dim;
  r.queries = cut(r.queries, s.query_begin, s.query_end);
  if (r.keys.rows > 0) r.keys = cut(r.keys, s.key_begin, s.key_end);
  r.labels = from(r.labels, s.query_begin);
  r.query_classes = from(r.query_classes, s.query_begin);
  r.key_classes = from(r.key_classes, s.key_begin);
  r.query_ids = from(r.query_ids, s.query_begin);
  r.key_ids = from(r.key_ids, s.key_begin);
  r.query_weights = from(r.query_weights, s.query_begin);
  r.hard_negative_ids = from(r.hard_negative_ids, s.query_begin * per_query);
  if (per_query > 0)
    r.hard_negatives = cut(r.hard_negatives, s.query_begin * per_query, s.query_end * per_query);
  r.d_queries = from(r.d_queries, s.query_begin * dim);
  r.d_keys = from(r.d_keys, s.key_begin * dim);
  if (r.d_keys) r.d_key_rows = std::min(r.d_key_rows, s.keys());
  r.d_hard_negatives = from(r.d_hard_negatives, s.query_begin * per_query * dim);
  r.row_loss = from(r.row_loss, s.query_begin);
  r.row_lse = from(r.row_lse, s.query_begin);
  r.row_positive_first = from(r.row_positive_first, s.query_begin);
  return r;
}

// What became of each rank's call.
struct Outcome {
  infcl::ContrastiveResult result;
  std::exception_ptr error;
  std::string text() const {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& e) {
      return e.what();
    }
    return "";
  }
  infcl::ErrorCode code() const {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const infcl::Error& e) {
      return e.code();
    }
    return infcl::ErrorCode::kInternal;
  }
};

// Ranks with a backend each. Their communicators and backends may be replaced by faulty ones.
struct Ring {
  explicit Ring(int ranks, const std::string& isa = "")
      : communicators(infcl::comm::make_thread_ring(ranks)) {
    for (int r = 0; r < ranks; ++r) backends.push_back(infcl::make_cpu_backend({isa, "", ""}));
  }
  int size() const { return static_cast<int>(communicators.size()); }

  // f(rank) on a thread for each rank
  void each(const std::function<void(int)>& f) const {
    std::vector<std::thread> threads;
    for (int r = 0; r < size(); ++r) threads.emplace_back(f, r);
    for (std::thread& t : threads) t.join();
  }

  std::vector<Outcome> call(const std::vector<infcl::ContrastiveRequest>& requests) const {
    std::vector<Outcome> out(requests.size());
    each([&](int r) {
      const size_t at = static_cast<size_t>(r);
      try {
        out[at].result = infcl::contrastive(requests[at], *backends[at], *communicators[at]);
      } catch (...) {
        out[at].error = std::current_exception();
      }
    });
    return out;
  }

  std::vector<std::unique_ptr<Communicator>> communicators;
  std::vector<std::unique_ptr<Backend>> backends;
};

inline std::vector<infcl::ContrastiveRequest> shards_of(const infcl::ContrastiveRequest& r, int ranks) {
  const Bounds queries = uneven(r.queries.rows, ranks);
  const bool paired = r.keys.rows == r.queries.rows;
  const Bounds keys = paired            ? queries
                      : r.keys.rows > 0 ? uneven(r.keys.rows, ranks)
                                        : Bounds(queries.size(), 0);
  std::vector<infcl::ContrastiveRequest> out;
  for (size_t i = 0; i + 1 < queries.size(); ++i)
    out.push_back(shard_of(r, {queries[i], queries[i + 1], keys[i], keys[i + 1]}));
  return out;
}

// Whether every rank can have rows of its own, and its queries' positives among its keys where there are no
// labels.
inline bool can_shard(const cases::Case& c, int ranks) {
  if (c.rows < ranks || (c.keys > 0 && c.keys < ranks)) return false;
  return c.request.labels || c.keys == c.rows || !c.request.objective.labelled();
}

// The whole problem's gradients in one array each, as `cases::run` gives them. The result is rank 0's.
inline cases::Run run(const Ring& ring, infcl::ContrastiveRequest r,
                      std::vector<Outcome>* outcomes = nullptr) {
  const auto garbage = [](const infcl::MatrixView& m) {
    return std::vector<float>(static_cast<size_t>(m.rows * m.dim), 7.f);
  };
  cases::Run out{{}, garbage(r.queries), garbage(r.keys), garbage(r.hard_negatives)};
  r.gradient = true;
  r.d_queries = out.d_queries.data();
  r.d_keys = r.keys.rows > 0 ? out.d_keys.data() : nullptr;
  r.d_key_rows = r.keys.rows;
  r.d_hard_negatives = r.hard_negatives.rows > 0 ? out.d_hard.data() : nullptr;
  const std::vector<Outcome> all = ring.call(shards_of(r, ring.size()));
  for (const Outcome& one : all)
    if (one.error) std::rethrow_exception(one.error);
  out.result = all[0].result;
  if (outcomes) *outcomes = all;
  return out;
}

}  // namespace ring
