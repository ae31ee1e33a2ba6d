#include "core/agreement.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

namespace infcl {

namespace {

// Ranks may be processes of different builds. To be raised whenever a message changes.
constexpr int32_t kVersion = 1;

enum class As { kNumber, kGiven, kYesNo, kObjective, kDirections, kDType };

struct Field {
  const char* name;
  As as;
  ErrorCode code = ErrorCode::kValue;
};

// All that must be equal on all ranks, in the order in which a difference is reported.
constexpr Field kFields[] = {
    {"the objective", As::kObjective},
    {"options.directions", As::kDirections},
    {"options.partition 'perDirection'", As::kYesNo},
    {"gradients", As::kYesNo},
    {"the dim of queries", As::kNumber, ErrorCode::kShape},
    {"the dtype of queries", As::kDType},
    {"keys", As::kGiven},
    {"the dtype of keys", As::kDType},
    {"options.logitScale", As::kNumber},
    {"options.logitBias", As::kNumber},
    {"options.labels", As::kGiven},
    {"options.queryIds and keyIds", As::kGiven},
    {"options.queryWeights", As::kGiven},
    {"options.falseNegativeMargin", As::kGiven},
    {"options.falseNegativeMargin", As::kNumber},
    {"options.labelSmoothing", As::kNumber},
    {"options.hardness of negatives in the batch", As::kNumber},
    {"options.hardness of hard negatives", As::kNumber},
    {"options.hardNegatives.perQuery", As::kNumber},
    {"options.hardNegatives.ids", As::kGiven},
    {"options.compute 'bfloat16'", As::kYesNo},
    {"options.gradientFilter", As::kNumber},
    {"options.grad.queries", As::kYesNo},
    {"options.grad.keys", As::kYesNo},
    {"options.grad.hardNegatives", As::kYesNo},
};
constexpr size_t kFieldCount = sizeof kFields / sizeof kFields[0];

unsigned directions_of(const Objective& o) {
  unsigned bits = 0;
  for (int p = 0; p < o.similarity_count; ++p) {
    const Similarity& s = o.similarities[p];
    const bool of_queries = s.rows == Side::kQueries;
    if (s.triangle()) {
      bits |= of_queries ? kQueryToQuery : kKeyToKey;
      continue;
    }
    if (s.row_normaliser != kNone) bits |= kQueryToKey;
    if (s.column_normaliser != kNone) bits |= kKeyToQuery;
  }
  return bits;
}

// In the order of kFields.
std::vector<double> values_of(const ContrastiveRequest& r) {
  const Objective& o = r.objective;
  return {
      static_cast<double>(o.kind),
      static_cast<double>(directions_of(o)),
      static_cast<double>(o.normaliser_count > 1),
      static_cast<double>(r.gradient),
      static_cast<double>(r.queries.dim),
      static_cast<double>(r.queries.dtype),
      static_cast<double>(r.keys.rows > 0),
      static_cast<double>(r.keys.dtype),
      r.logit_scale,
      r.logit_bias,
      static_cast<double>(r.labels != nullptr),
      static_cast<double>(r.query_ids != nullptr),
      static_cast<double>(r.query_weights != nullptr),
      static_cast<double>(r.has_margin),
      r.has_margin ? r.margin : 0,
      r.label_smoothing,
      r.hardness,
      r.hard_negative_hardness,
      static_cast<double>(r.hard_negatives_per_query),
      static_cast<double>(r.hard_negative_ids != nullptr),
      static_cast<double>(r.bfloat16),
      r.gradient_filter,
      static_cast<double>(r.d_queries != nullptr),
      static_cast<double>(r.d_keys != nullptr),
      static_cast<double>(r.d_hard_negatives != nullptr),
  };
}

// What a rank tells the others. `refusal` is empty where it can make the call.
struct Record {
  int32_t version = kVersion;
  int32_t refuses = 0;
  char refusal[256] = {};
  Shard shard;
  double values[kFieldCount] = {};
};

std::string text_of(const Field& field, double value) {
  const auto integer = static_cast<unsigned>(value);
  switch (field.as) {
    case As::kGiven:
      return value != 0 ? "some" : "none";
    case As::kYesNo:
      return value != 0 ? "yes" : "no";
    case As::kObjective:
      return make_objective(static_cast<ObjectiveKind>(integer)).name;
    case As::kDType:
      return integer == 0 ? "float32" : integer == 1 ? "float16" : "bfloat16";
    case As::kDirections: {
      std::string names;
      const char* const all[] = {"queryToKey", "keyToQuery", "queryToQuery", "keyToKey"};
      for (unsigned bit = 0; bit < 4; ++bit)
        if (integer >> bit & 1) names += (names.empty() ? "" : " ") + std::string(all[bit]);
      return names;
    }
    case As::kNumber:
      break;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

std::string on_rank(const std::string& text, size_t rank) {
  return text + " on rank " + std::to_string(rank);
}

// Every rank has the same records, and so comes to the same error.
void compare(const std::vector<Record>& all) {
  for (size_t rank = 0; rank < all.size(); ++rank)
    if (all[rank].refuses)
      throw Error(ErrorCode::kRankFailed, "group",
                  "rank " + std::to_string(rank) + " failed: " + all[rank].refusal);
  for (size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank].version != all[0].version)
      throw Error(ErrorCode::kValue, "group", "Expected the same version of infcl on all ranks");
  for (size_t i = 0; i < kFieldCount; ++i)
    for (size_t rank = 1; rank < all.size(); ++rank) {
      const double one = all[rank].values[i], first = all[0].values[i];
      if (one == first) continue;
      throw Error(kFields[i].code, "group",
                  std::string("Expected the same on all ranks but received ") + kFields[i].name + ": " +
                      on_rank(text_of(kFields[i], one), rank) + ", " +
                      on_rank(text_of(kFields[i], first), 0));
    }
}

// Labels count keys of the whole batch, so only now is their bound known.
void check_labels(const ContrastiveRequest& r, int64_t keys) {
  for (int64_t i = 0; r.labels && i < r.queries.rows; ++i)
    if (r.labels[i] < 0 || r.labels[i] >= keys)
      throw Error(ErrorCode::kValue, "group",
                  "Expected the index of one of the " + std::to_string(keys) +
                      " keys of all ranks for options.labels[" + std::to_string(i) + "] but received " +
                      std::to_string(r.labels[i]));
}

}  // namespace

Shard shard_of(const ContrastiveRequest& r) {
  Shard s;
  s.rows[0] = r.queries.rows;
  s.rows[1] = r.keys.rows;
  if (!r.gradient) return s;
  s.gradient_rows[0] = r.d_queries ? r.queries.rows : 0;
  s.gradient_rows[1] = r.d_keys ? r.d_key_rows : 0;
  return s;
}

Shards agree(const ContrastiveRequest& r, Ranks& ranks, bool* met) {
  Record mine;
  mine.shard = shard_of(r);
  const std::vector<double> values = values_of(r);
  std::copy(values.begin(), values.end(), mine.values);
  const std::vector<Record> all = ranks.meet(mine, r.control);
  if (met) *met = true;
  try {
    compare(all);
  } catch (...) {
    ranks.leave();
    throw;
  }
  std::vector<Shard> shards;
  for (const Record& one : all) shards.push_back(one.shard);
  Shards found(std::move(shards));
  ranks.together([&] { check_labels(r, found.total(Side::kKeys)); });
  return found;
}

void refuse_call(const std::string& why, Communicator& ring, const Control& control) {
  Ranks ranks(ring);
  Record mine;
  mine.refuses = 1;
  std::strncpy(mine.refusal, why.c_str(), sizeof mine.refusal - 1);
  ranks.meet(mine, control);
}

}  // namespace infcl
