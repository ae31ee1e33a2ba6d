// The problems that every backend's engine test solves: each objective and option, ragged shapes, wide
// ranges, 16-bit features, negatives of a query's own.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine_run.h"

namespace cases {

using Visit = std::function<void(const Case&)>;

inline infcl::ContrastiveRequest request(const infcl::Objective& o, double scale) {
  infcl::ContrastiveRequest r;
  r.objective = o;
  r.logit_scale = scale;
  return r;
}

inline infcl::ContrastiveRequest request(ObjectiveKind kind, double scale) {
  return request(infcl::make_objective(kind), scale);
}

inline void visit_shapes(const Visit& visit) {
  struct Shape {
    int64_t rows, dim;
    double scale;
  };
  for (const Shape s : {Shape{1, 1, 1},
                        {2, 3, 20},
                        {7, 65, 14},
                        {97, 33, 100},
                        {447, 64, 14},
                        {448, 32, 50},
                        {449, 31, 100},
                        {1009, 17, 20}})
    visit({"clip", request(ObjectiveKind::kClip, s.scale), s.rows, s.rows, s.dim});
  struct Ragged {
    int64_t rows, keys, dim;
    double scale;
  };
  for (const Ragged s : {Ragged{5, 700, 48, 10}, {700, 5, 48, 10}, {241, 911, 63, 100}}) {
    std::vector<int32_t> labels(static_cast<size_t>(s.rows));
    for (int64_t i = 0; i < s.rows; ++i) labels[i] = static_cast<int32_t>((i * 7 + 3) % s.keys);
    infcl::ContrastiveRequest r = request(ObjectiveKind::kInfoNce, s.scale);
    r.labels = labels.data();
    visit({"infonce", r, s.rows, s.keys, s.dim});
  }
}

// Rows whose log-sum-exps lie further apart than one exponential can span, with and without a second
// normaliser.
inline void visit_wide_ranges(const Visit& visit) {
  for (ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kInfoNce, ObjectiveKind::kNtXent}) {
    Case c{"wide ranges", request(kind, 100), 61, 61, 2};
    c.uneven_rows = true;
    c.gradient_floor = 1;
    visit(c);
  }
}

// So few rows, at so large a scale, that the rounding of float32 dots shows in the loss. Their features share
// most of a direction: dots near one, and yet no positive that outweighs the rest.
inline void visit_few_rows(infcl::DType dtype, const Visit& visit) {
  const auto add = [&](const char* name, infcl::ContrastiveRequest r, int64_t rows, int64_t keys,
                       int64_t dim) {
    Case c{name, r, rows, keys, dim, dtype};
    c.alike = true;
    // Sums that cancel are held to a 32nd of the usual size. In one dimension all logits tie: the whole size.
    c.scalar_floor = 1. / 32;
    c.gradient_floor = (dim == 1 ? 1 : c.scalar_floor) * r.logit_scale / std::sqrt(static_cast<double>(rows));
    visit(c);
  };
  const int64_t rows = 3, dim = 200;
  std::vector<int32_t> labels{0}, classes{5, 7, 5}, other(449);
  for (size_t j = 0; j < other.size(); ++j) other[j] = static_cast<int32_t>(j % 11);
  infcl::ContrastiveRequest one = request(ObjectiveKind::kInfoNce, 100);
  one.labels = labels.data();
  for (const int64_t d : {1, 3, 64, 512})
    for (const int64_t keys : {1, 2, 449, 5000}) {
      labels[0] = static_cast<int32_t>(keys / 2);
      add("one row", one, 1, keys, d);
    }
  labels[0] = 200;
  for (const ObjectiveKind kind : {ObjectiveKind::kClip, ObjectiveKind::kNtXent})
    add("few rows", request(kind, 100), rows, rows, dim);
  infcl::ContrastiveRequest r = one;
  r.label_smoothing = 0.3;
  add("few rows, smoothing", r, 1, 449, dim);
  r.label_smoothing = 0;
  r.hardness = 20;
  r.hard_negatives_per_query = 3;
  r.hard_negative_hardness = 10;
  add("few rows, every negative harder", r, 1, 449, dim);
  r = request(ObjectiveKind::kSupCon, 100);
  r.query_classes = classes.data();
  r.key_classes = other.data();
  add("few rows, supcon", r, rows, 449, dim);
  r.objective = infcl::make_objective(ObjectiveKind::kSupCon, false);
  add("few rows, supcon of the queries alone", r, rows, 0, dim);
  r = request(ObjectiveKind::kSigLip, 100);
  r.logit_bias = -96.3;
  r.labels = labels.data();
  add("few rows, siglip", r, 1, 449, dim);
}

inline void visit_objectives(const Visit& visit) {
  for (const int64_t b : {1, 2, 33, 450, 500}) {
    std::vector<int32_t> classes(static_cast<size_t>(b)), other(static_cast<size_t>(b));
    for (int64_t i = 0; i < b; ++i) {
      classes[i] = static_cast<int32_t>(i * i % 11 - 3);
      other[i] = static_cast<int32_t>(i % 13);
    }
    visit({"ntxent", request(ObjectiveKind::kNtXent, 10), b, b, 24});
    infcl::ContrastiveRequest s = request(ObjectiveKind::kSupCon, 10);
    s.query_classes = classes.data();
    s.key_classes = other.data();
    visit({"supcon", s, b, b, 24});
    s.objective = infcl::make_objective(ObjectiveKind::kSupCon, false);
    visit({"supcon, queries alone", s, b, 0, 24});
    infcl::ContrastiveRequest sig = request(ObjectiveKind::kSigLip, 12);
    sig.logit_bias = -10;
    visit({"siglip", sig, b, b, 24});
    if (b > 33 && b != 450) continue;
    for (unsigned directions = 1; directions < 16; directions += 2)
      for (bool joint : {false, true})
        visit({"directions " + std::to_string(directions) + (joint ? " joint" : ""),
               request(infcl::make_directions(directions, joint), 15), b, b, 24});
  }
}

inline void visit_options(const Visit& visit) {
  const int64_t b = 460;
  std::vector<int32_t> ids(static_cast<size_t>(b));
  std::vector<float> weights(static_cast<size_t>(b));
  for (int64_t i = 0; i < b; ++i) {
    ids[i] = static_cast<int32_t>(i % 97);
    weights[i] = static_cast<float>(i % 5);
  }
  using Edit = std::function<void(infcl::ContrastiveRequest&)>;
  const std::pair<const char*, Edit> options[] = {
      {"ids", [&](auto& r) { r.query_ids = r.key_ids = ids.data(); }},
      {"weights", [&](auto& r) { r.query_weights = weights.data(); }},
      {"smoothing", [&](auto& r) { r.label_smoothing = 0.1; }},
      {"margin",
       [&](auto& r) {
         r.has_margin = true;
         r.margin = 0.05;
       }},
      {"hardness", [&](auto& r) { r.hardness = 3; }},
  };
  const std::pair<ObjectiveKind, const char*> kinds[] = {{ObjectiveKind::kClip, "clip, "},
                                                         {ObjectiveKind::kInfoNce, "infonce, "},
                                                         {ObjectiveKind::kNtXent, "ntxent, "}};
  for (const auto& [kind, name] : kinds) {
    infcl::ContrastiveRequest all = request(kind, 20);
    for (const auto& option : options) {
      infcl::ContrastiveRequest r = request(kind, 20);
      option.second(r);
      visit({std::string(name) + option.first, r, b, b, 20});
      option.second(all);
    }
    visit({std::string(name) + "all options", all, b, b, 20});
  }
  infcl::ContrastiveRequest sig = request(ObjectiveKind::kSigLip, 12);
  sig.logit_bias = -5;
  sig.query_weights = weights.data();
  sig.query_ids = sig.key_ids = ids.data();
  visit({"siglip, ids and weights", sig, b, b, 20});
}

inline void visit_sixteen_bits(infcl::DType dtype, const Visit& visit) {
  for (const int64_t b : {1, 3, 449, 700})
    for (const int64_t dim : {1, 7, 64, 131})
      visit({dtype == infcl::DType::kBFloat16 ? "bfloat16" : "float16", request(ObjectiveKind::kClip, 30), b,
             b, dim, dtype});
}

// A guide of another width and element type, beside every option that masks pairs or meets masked ones.
inline void visit_guide(infcl::DType dtype, const Visit& visit) {
  struct Shape {
    int64_t rows, guide_dim;
    double margin;
    bool relative;
  };
  for (const Shape s :
       {Shape{1, 1, 0, false}, {33, 3, 0.25, false}, {449, 65, 0.5, true}, {460, 17, -0.25, true}})
    for (int variant = 0; variant < 4; ++variant) {
      infcl::ContrastiveRequest r = request(variant % 2 ? ObjectiveKind::kInfoNce : ObjectiveKind::kClip, 12);
      r.guide.margin = s.margin;
      r.guide.relative = s.relative;
      if (variant >= 2) {
        r.hard_negatives_per_query = 2;
        r.label_smoothing = 0.2;
      }
      Case c{"guide " + std::to_string(variant), r, s.rows, s.rows, 21, dtype};
      c.gradient_floor = 1e-2;
      c.guide_dim = s.guide_dim;
      visit(c);
    }
  infcl::ContrastiveRequest r =
      request(infcl::make_directions(infcl::kQueryToKey | infcl::kQueryToQuery, true), 12);
  Case c{"guide of two directions", r, 460, 460, 21, dtype};
  c.guide_dim = 9;
  visit(c);
}

// A teacher of another width and element type: sharp, flat, beside masks and smoothing, of few rows, and with
// logits so far from each other that one exponential cannot span them.
inline void visit_teacher(infcl::DType dtype, const Visit& visit) {
  struct Shape {
    int64_t rows, dim;
    double scale, weight;
  };
  const int64_t most = 460;
  std::vector<int32_t> ids(static_cast<size_t>(most));
  std::vector<float> weights(ids.size());
  for (int64_t i = 0; i < most; ++i) {
    ids[i] = static_cast<int32_t>(i % 97);
    weights[i] = static_cast<float>(i % 5 + 1);
  }
  for (const Shape s :
       {Shape{1, 1, 5, 1}, {3, 33, 100, 2}, {33, 3, 0.01, 0.5}, {449, 65, 20, 1}, {460, 9, 900, 1}})
    for (int variant = 0; variant < 4; ++variant) {
      infcl::ContrastiveRequest r = request(variant % 2 ? ObjectiveKind::kInfoNce : ObjectiveKind::kClip, 12);
      r.teacher.logit_scale = s.scale;
      r.teacher.weight = s.weight;
      Case c{"teacher " + std::to_string(variant), r, s.rows, s.rows, 21, dtype};
      if (variant >= 2) {
        c.request.query_ids = c.request.key_ids = ids.data();
        c.request.query_weights = weights.data();
        c.request.label_smoothing = 0.2;
        c.guide_dim = 5;
      }
      c.gradient_floor = 1e-2;
      c.teacher_dim = s.dim;
      visit(c);
    }
}

// Negatives of each query's own, beside every option that meets them.
inline void visit_hard_negatives(const Visit& visit) {
  for (int variant = 0; variant < 4; ++variant) {
    infcl::ContrastiveRequest r = request(variant == 3 ? ObjectiveKind::kClip : ObjectiveKind::kInfoNce, 12);
    r.hard_negatives_per_query = 3;
    if (variant == 1) r.hard_negative_hardness = 4;
    if (variant == 2) {
      r.has_margin = true;
      r.margin = 0.02;
      r.label_smoothing = 0.2;
    }
    Case c{"hard negatives " + std::to_string(variant), r, 130, 130, 21};
    c.gradient_floor = 1e-2;
    visit(c);
  }
}

}  // namespace cases
