#include "core/objective.h"

namespace infcl {

namespace {

constexpr Side kQ = Side::kQueries, kK = Side::kKeys;
constexpr LossFamily kLabelled = LossFamily::kLabelledSoftmax, kClasses = LossFamily::kClassSoftmax,
                     kSigmoid = LossFamily::kSigmoid;

constexpr Objective kTable[] = {
    // Radford et al. 2021: the mean of both directions' cross-entropies
    {ObjectiveKind::kClip,
     "clip",
     kLabelled,
     kPaired | kTakesHardNegatives | kTakesLists | kTakesFrozen,
     1,
     2,
     {{kQ, kK, 0, 1}},
     {{kQ, 0.5}, {kK, 0.5}}},
    // van den Oord et al. 2018, eq. 4
    {ObjectiveKind::kInfoNce,
     "infonce",
     kLabelled,
     kTakesLabels | kTakesHardNegatives | kTakesLists | kTakesFrozen,
     1,
     1,
     {{kQ, kK, 0, kNone}},
     {{kQ, 1}}},
    // Chen et al. 2020 (SimCLR), eq. 1: both views are anchors, and negatives of each other and of themselves
    {ObjectiveKind::kNtXent,
     "ntxent",
     kLabelled,
     kPaired,
     3,
     2,
     {{kQ, kK, 0, 1}, {kQ, kQ, 0, 0}, {kK, kK, 1, 1}},
     {{kQ, 0.5}, {kK, 0.5}}},
    // Khosla et al. 2020, eq. 2 (L_out); the engine divides by the number of anchors that have a positive
    {ObjectiveKind::kSupCon,
     "supcon",
     kClasses,
     kPaired,
     3,
     2,
     {{kQ, kK, 0, 1}, {kQ, kQ, 0, 0}, {kK, kK, 1, 1}},
     {{kQ, 1}, {kK, 1}}},
    // Zhai et al. 2023, eq. 1: no denominators
    {ObjectiveKind::kSigLip, "siglip", kSigmoid, 0, 1, 0, {{kQ, kK, kNone, kNone}}, {}},
};

}  // namespace

std::optional<ObjectiveKind> objective_kind(const std::string& name) {
  for (const Objective& o : kTable)
    if (name == o.name) return o.kind;
  return {};
}

Objective make_objective(ObjectiveKind kind, bool has_keys) {
  Objective found = kTable[0];
  for (const Objective& o : kTable)
    if (o.kind == kind) found = o;
  if (!has_keys) {
    found.similarities[0] = {kQ, kQ, 0, 0};
    found.similarity_count = 1;
    found.normaliser_count = 1;
  }
  return found;
}

Objective make_directions(unsigned directions, bool joint) {
  Objective o = make_objective(ObjectiveKind::kInfoNce);
  o.similarity_count = o.normaliser_count = 0;
  int count = 0;
  for (unsigned d = directions; d; d &= d - 1) ++count;
  const auto normaliser = [&](unsigned direction, Side anchors) {
    if (!(directions & direction)) return kNone;
    if (joint && o.normaliser_count > 0) return 0;
    o.normalisers[o.normaliser_count] = {joint ? kQ : anchors, joint ? 1. : 1. / count};
    return o.normaliser_count++;
  };
  const int query_to_key = normaliser(kQueryToKey, kQ), key_to_query = normaliser(kKeyToQuery, kK);
  const int query_to_query = normaliser(kQueryToQuery, kQ), key_to_key = normaliser(kKeyToKey, kK);
  if (query_to_key != kNone || key_to_query != kNone)
    o.similarities[o.similarity_count++] = {kQ, kK, query_to_key, key_to_query};
  if (query_to_query != kNone)
    o.similarities[o.similarity_count++] = {kQ, kQ, query_to_query, query_to_query};
  if (key_to_key != kNone) o.similarities[o.similarity_count++] = {kK, kK, key_to_key, key_to_key};
  return o;
}

Objective with_listed_positives(Objective o) {
  o.family = LossFamily::kListedSoftmax;
  o.traits &= ~static_cast<unsigned>(kPaired);
  return o;
}

}  // namespace infcl
