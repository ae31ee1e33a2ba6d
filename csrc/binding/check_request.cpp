#include "binding/check_request.h"

#include <cmath>
#include <string>

#include "binding/request_error.h"

namespace infcl::binding {

namespace {

constexpr int64_t kMostThreads = 1024;
constexpr unsigned kAllDirections = kQueryToKey | kKeyToQuery | kQueryToQuery | kKeyToKey;

[[noreturn]] void refuse(const char* code, const std::string& message) { throw RequestError(code, message); }

void require(bool holds, const char* code, const char* message) {
  if (!holds) refuse(code, message);
}

// An option, whether the request sets it, and whether its objective takes it.
struct OptionUse {
  const char* name;
  bool given, taken;
};

void check_options(const ContrastiveRequest& r, const Objective& o, unsigned directions) {
  const bool classes = o.family == LossFamily::kClassSoftmax, softmax = o.labelled() && !o.sigmoid(),
             lists = r.positives.any();
  for (const OptionUse& option : {
           OptionUse{"directions", directions != 0, o.has(kTakesLabels)},
           OptionUse{"labels", r.labels != nullptr, o.has(kTakesLabels)},
           OptionUse{"positives", lists, o.has(kTakesLists)},
           OptionUse{"queryClasses", r.query_classes != nullptr, classes},
           OptionUse{"keyClasses", r.key_classes != nullptr, classes},
           OptionUse{"queryIds", r.query_ids != nullptr, o.labelled()},
           OptionUse{"keyIds", r.key_ids != nullptr, o.labelled()},
           OptionUse{"excludedPairs", r.excluded.any(), o.labelled() && !o.triangles()},
           OptionUse{"queryWeights", r.query_weights != nullptr,
                     o.labelled() && !(lists && o.normaliser_count > 1)},
           OptionUse{"falseNegativeMargin", r.has_margin, softmax && !lists},
           OptionUse{"guide", r.guide.given(), o.has(kTakesFrozen) && !lists},
           OptionUse{"teacher", r.teacher.given(), o.has(kTakesFrozen) && !lists},
           OptionUse{"labelSmoothing", r.label_smoothing != 0, softmax && !lists},
           OptionUse{"hardness", r.hardness != 0 || r.hard_negative_hardness != 0, softmax},
           OptionUse{"hardNegatives", r.hard_negatives.rows > 0, o.has(kTakesHardNegatives)},
           OptionUse{"logitBias", r.logit_bias != 0, o.sigmoid()},
       })
    if (option.given && !option.taken)
      refuse("ERR_VALUE", std::string("Expected no ") + option.name + " for this objective");
  require(!(r.labels || lists) || directions == 0, "ERR_VALUE", "Expected no labels with directions");
  require(!(r.labels && lists), "ERR_VALUE", "Expected labels or positives, not both");
  require((r.query_ids != nullptr) == (r.key_ids != nullptr), "ERR_VALUE",
          "Expected queryIds and keyIds together");
  require(!r.hard_negative_ids || (r.query_ids && r.hard_negatives.rows > 0), "ERR_VALUE",
          "Expected queryIds and hardNegatives beside hardNegativeIds");
  require(r.label_smoothing == 0 || (r.hardness == 0 && r.hard_negative_hardness == 0), "ERR_VALUE",
          "Expected labelSmoothing or hardness, not both");
  require(!r.teacher.given() || (directions == 0 && r.hard_negatives.rows == 0 && r.hardness == 0 &&
                                 r.hard_negative_hardness == 0),
          "ERR_VALUE", "Expected no directions, hardNegatives or hardness beside a teacher");
}

void check_rows(const Objective& o, int64_t rows, int64_t keys) {
  require(keys > 0 || o.family == LossFamily::kClassSoftmax, "ERR_TYPE", "Expected keys for this objective");
  if (keys > 0 && o.has(kPaired))
    require(keys == rows, "ERR_SHAPE", "Expected as many keys as queries for this objective");
}

void check_shapes(const ContrastiveRequest& r, const Objective& o, unsigned directions) {
  const int64_t rows = r.queries.rows, keys = r.keys.rows;
  check_rows(r.positives.any() ? r.objective : o, rows, keys);
  if (directions & ~unsigned{kQueryToKey})
    require(keys == rows, "ERR_SHAPE", "Expected as many keys as queries for these directions");
  if (!r.labels && !r.positives.any() && keys > 0)
    require(keys >= rows, "ERR_SHAPE", "Expected at least as many keys as queries without labels");
  if (o.family == LossFamily::kClassSoftmax) {
    require(r.query_classes, "ERR_TYPE", "Expected queryClasses for objective supcon");
    require((r.key_classes != nullptr) == (keys > 0), "ERR_TYPE", "Expected keyClasses beside keys");
  }
}

// Over several ranks, labels count the keys of all ranks: the engine checks them once it knows how many there
// are.
void check_labels(const ContrastiveRequest& r) {
  for (int64_t i = 0; r.labels && i < r.queries.rows; ++i)
    if (r.labels[i] < 0 || r.labels[i] >= r.keys.rows)
      refuse("ERR_VALUE", "Expected a key's index below " + std::to_string(r.keys.rows) + " for labels[" +
                              std::to_string(i) + "] but received " + std::to_string(r.labels[i]));
}

// A query without a positive has no loss, so only a weight of 0 may belong to it.
void check_lists(const ContrastiveRequest& r) {
  for (int64_t i = 0; r.positives.any() && i < r.queries.rows; ++i)
    require(r.positives.size(i) > 0 || (r.query_weights && r.query_weights[i] == 0), "ERR_VALUE",
            "Expected a positive of each query, or a weight of 0");
}

bool is_fraction(double x) { return x >= 0 && x < 1; }

void check_numbers(const ContrastiveRequest& r) {
  const float scale = static_cast<float>(r.logit_scale);
  require(std::isfinite(scale) && scale > 0, "ERR_VALUE", "Expected a positive finite logitScale");
  require(std::isfinite(r.logit_bias), "ERR_VALUE", "Expected a finite logitBias");
  require(std::isfinite(r.margin), "ERR_VALUE", "Expected a finite falseNegativeMargin");
  const float teacher_scale = static_cast<float>(r.teacher.logit_scale);
  require(std::isfinite(teacher_scale) && teacher_scale > 0, "ERR_VALUE",
          "Expected a positive finite logitScale of the teacher");
  require(std::isfinite(static_cast<float>(r.teacher.weight)) && r.teacher.weight >= 0, "ERR_VALUE",
          "Expected a finite weight of the teacher of at least 0");
  require(std::isfinite(r.guide.margin), "ERR_VALUE", "Expected a finite margin of the guide");
  require(is_fraction(r.label_smoothing), "ERR_VALUE", "Expected labelSmoothing from 0 to below 1");
  require(is_fraction(r.gradient_filter), "ERR_VALUE", "Expected gradientFilter from 0 to below 1");
  for (const double hardness : {r.hardness, r.hard_negative_hardness})
    require(std::isfinite(hardness) && hardness >= 0, "ERR_VALUE",
            "Expected a finite hardness of at least 0");
}

// A gradient of the first keys only is possible where keys are columns. It has no meaning where keys are
// rows too.
void check_outputs(const ContrastiveRequest& r) {
  const bool any = r.d_queries || r.d_keys || r.d_hard_negatives;
  require(r.gradient || !any, "ERR_VALUE", "Expected no arrays for gradients without gradient");
  require(!r.d_hard_negatives || r.hard_negatives.rows > 0, "ERR_VALUE",
          "Expected no hardNegativeGrads without hardNegatives");
  for (int p = 0; p < r.objective.similarity_count; ++p)
    if (r.objective.similarities[p].rows == Side::kKeys && r.d_keys)
      require(r.d_key_rows == r.keys.rows, "ERR_VALUE",
              "Expected a gradient of all keys or none where keys are compared with each other");
}

}  // namespace

unsigned check_directions(int64_t directions) {
  require(directions == 0 || (directions <= kAllDirections && (directions & kQueryToKey)), "ERR_VALUE",
          "Expected directions to be bits of directions, queryToKey among them");
  return static_cast<unsigned>(directions);
}

int check_threads(int64_t threads) {
  require(threads <= kMostThreads, "ERR_VALUE", "Expected no more than 1024 threads");
  return static_cast<int>(threads);
}

void check_request(const ContrastiveRequest& r, const Objective& named, unsigned directions, bool in_group) {
  check_options(r, named, directions);
  check_shapes(r, named, directions);
  if (!in_group) check_labels(r);
  check_lists(r);
  check_numbers(r);
  check_outputs(r);
}

void refuse_alone(const ContrastiveRequest& r) {
  require(!r.excluded.any() && !r.positives.any() && !r.hard_negative_offsets && !r.guide.given() &&
              !r.teacher.given(),
          "ERR_VALUE", "Expected the backend 'cpu' and no group for lists, a guide or a teacher");
}

void check_request(const PlanRequest& r) {
  check_rows(r.objective, r.rows, r.keys);
  require((r.guide_dim == 0 && r.teacher_dim == 0) || r.objective.has(kTakesFrozen), "ERR_VALUE",
          "Expected no guide and no teacher for this objective");
}

}  // namespace infcl::binding
