#include "core/agreement.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace infcl {

namespace {

enum class As { kNumber, kGiven, kYesNo, kObjective, kDirections, kDType };

// A part of a request that must be equal on all ranks.
struct Term {
  const char* name;
  As as;
  ErrorCode code = ErrorCode::kValue;
};

// In the order in which a difference is reported.
constexpr Term kTerms[] = {
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
constexpr size_t kFieldCount = sizeof kTerms / sizeof kTerms[0];

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

// In the order of kTerms.
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

std::string text_of(const Term& term, double value) {
  const auto integer = static_cast<unsigned>(value);
  switch (term.as) {
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
  // The fewest digits that tell the number from all others.
  char text[32];
  for (int digits = 15; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return text;
}

std::vector<Field> fields_of(const ContrastiveRequest& r) {
  const std::vector<double> values = values_of(r);
  std::vector<Field> fields{{"call", "a loss"}};
  for (size_t i = 0; i < kFieldCount; ++i)
    fields.push_back({kTerms[i].name, text_of(kTerms[i], values[i]), kTerms[i].code});
  return fields;
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
  const FieldAgreement agreement = ranks.meet(fields_of(r), r.control);
  if (met) *met = true;
  try {
    agreement.check();
  } catch (...) {
    ranks.leave();
    throw;
  }
  Shards found(ranks.gather(shard_of(r)));
  ranks.together([&] { check_labels(r, found.total(Side::kKeys)); });
  return found;
}

void refuse_call(const std::string& why, Communicator& ring, const Control& control) {
  FieldAgreement(ring, {}, why.empty() ? "its call failed" : why, control);
}

}  // namespace infcl
