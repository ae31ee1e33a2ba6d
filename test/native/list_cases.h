// The problems with lists, which the CPU backend alone solves: excluded pairs, lists of positives, and hard
// negatives of uneven number.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine_cases.h"

namespace cases {

// Up to `most` keys of each query, and `least` at least.
class RandomLists {
 public:
  RandomLists(int64_t rows, int64_t keys, int64_t least, int64_t most, unsigned seed) : offsets_{0} {
    std::mt19937 generator(seed);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t count = std::min(keys, least + static_cast<int64_t>(generator() % (most - least + 1)));
      std::vector<int32_t> list;
      while (static_cast<int64_t>(list.size()) < count) {
        const auto key = static_cast<int32_t>(generator() % keys);
        if (std::find(list.begin(), list.end(), key) == list.end()) list.push_back(key);
      }
      std::sort(list.begin(), list.end());
      keys_.insert(keys_.end(), list.begin(), list.end());
      offsets_.push_back(static_cast<int32_t>(keys_.size()));
    }
  }
  infcl::KeyLists view() const { return {offsets_.data(), keys_.data()}; }
  const int32_t* offsets() const { return offsets_.data(); }

 private:
  std::vector<int32_t> offsets_, keys_;
};

inline infcl::ContrastiveRequest listed(infcl::ContrastiveRequest r, const RandomLists& positives) {
  r.positives = positives.view();
  r.objective = infcl::with_listed_positives(r.objective);
  return r;
}

inline void visit_lists(const Visit& visit) {
  for (const auto& [rows, keys] : {std::pair<int64_t, int64_t>{3, 4}, {97, 130}, {461, 461}, {500, 923}}) {
    const RandomLists excluded(rows, keys, 0, 9, 1), positives(rows, keys, 1, 4, 2), hard(rows, 9, 0, 5, 3);
    std::vector<float> weights(static_cast<size_t>(rows));
    std::vector<int32_t> ids(static_cast<size_t>(std::max(rows, keys)));
    for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 3);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i % 41);
    const auto add = [&](const std::string& name, infcl::ContrastiveRequest r) {
      Case c{name, r, rows, keys, 19};
      c.gradient_floor = 1e-2;
      visit(c);
    };
    infcl::ContrastiveRequest sigmoid = request(ObjectiveKind::kSigLip, 12);
    sigmoid.logit_bias = -5;
    sigmoid.excluded = excluded.view();
    add("siglip, excluded pairs", sigmoid);
    for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce}) {
      const std::string name = kind == ObjectiveKind::kClip ? "clip, " : "infonce, ";
      infcl::ContrastiveRequest r = request(kind, 15);
      if (rows == keys || kind == ObjectiveKind::kInfoNce) {
        r.excluded = excluded.view();
        add(name + "excluded pairs", r);
        r.query_ids = r.key_ids = ids.data();
        r.has_margin = true;
        r.margin = 0.1;
        r.label_smoothing = 0.1;
        r.hard_negative_offsets = hard.offsets();
        r.hard_negative_ids = nullptr;
        add(name + "excluded pairs, ragged hard negatives, and more", r);
      }
      r = listed(request(kind, 15), positives);
      add(name + "positives", r);
      r.excluded = excluded.view();
      r.query_ids = r.key_ids = ids.data();
      r.hard_negative_offsets = hard.offsets();
      r.hardness = 3;
      r.hard_negative_hardness = 2;
      if (kind == ObjectiveKind::kInfoNce) r.query_weights = weights.data();
      add(name + "positives, and more", r);
    }
  }
}

// As visit_few_rows.
inline void visit_few_listed_rows(const Visit& visit) {
  const int64_t rows = 3, keys = 449;
  const RandomLists positives(rows, keys, 2, 5, 4), hard(rows, 9, 1, 3, 5);
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce})
    for (const double hardness : {0., 20.})
      for (const int64_t dim : {3, 64, 512}) {
        Case c{"few rows, positives", listed(request(kind, 100), positives), rows, keys, dim};
        c.request.hardness = hardness;
        c.request.hard_negative_hardness = hardness / 2;
        if (hardness > 0) c.request.hard_negative_offsets = hard.offsets();
        c.alike = true;
        c.scalar_floor = 1. / 32;
        c.gradient_floor = c.scalar_floor * 100 / std::sqrt(static_cast<double>(rows));
        visit(c);
      }
}

}  // namespace cases
