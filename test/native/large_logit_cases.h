// Problems whose dots any arithmetic has exactly, with lengths of rows from 1 to beyond 2^50: every
// objective, and the options that compare or subtract logits. Some rows are repeated, so that there are ties.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "engine_cases.h"

namespace large {

struct Problem {
  std::string name;
  infcl::ContrastiveRequest request;  // whole, with views of what follows
  oracle::Features queries, keys, hard;
  std::vector<int32_t> labels, classes;
  double largest_logit = 0;
  int64_t masked_pairs = 0;
};

// Integers from -4 to 4 times `factor`. Every third row repeats an earlier one.
inline oracle::Features integer_features(int64_t rows, int64_t dim, uint32_t seed, float factor) {
  oracle::Features f{{}, rows, dim};
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t d = 0; d < dim; ++d) {
      seed = seed * 1664525u + 1013904223u;
      const float integer = static_cast<float>((seed >> 16) % 9) - 4;
      f.data.push_back(i % 3 == 2 ? f.data[i / 9 * dim + d] : factor * integer);
    }
  return f;
}

inline double longest(const oracle::Features& f) {
  double most = 0;
  for (int64_t i = 0; i < f.rows; ++i) {
    double squares = 0;
    for (int64_t d = 0; d < f.dim; ++d) squares += std::pow(f.data[i * f.dim + d], 2.);
    most = std::fmax(most, std::sqrt(squares));
  }
  return most;
}

struct Errors {
  double loss = 0, d_queries = 0, d_keys = 0, d_hard = 0, d_scale = 0;
  bool all_within(double bound) const {
    return loss <= bound && d_queries <= bound && d_keys <= bound && d_hard <= bound && d_scale <= bound;
  }
  std::string text() const {
    char out[160];
    std::snprintf(out, sizeof out, "errors: loss %.1e dQ %.1e dK %.1e dH %.1e dS %.1e", loss, d_queries,
                  d_keys, d_hard, d_scale);
    return out;
  }
};

// Dots are exact, so what is left are exponentials and the rounding of a logit, which is relative to its
// size.
constexpr double kBounds = 2e-6;

inline Errors compare(const Problem& p, const cases::Run& got, const oracle::Result& ref) {
  // a gradient that cancels is held to the size it usually has
  const double rows = static_cast<double>(p.queries.rows), s = p.request.logit_scale;
  const auto gradient = [&](const std::vector<float>& out, const std::vector<double>& right, double other) {
    return oracle::relative_error(out, right, s * other / std::sqrt(rows));
  };
  Errors e;
  e.loss = std::fabs(got.result.loss - ref.loss) /
           std::fmax(1, std::fmax(std::fabs(ref.loss), p.largest_logit / 8));
  e.d_queries = gradient(got.d_queries, ref.d_queries, longest(p.keys.rows > 0 ? p.keys : p.queries));
  if (p.keys.rows > 0) e.d_keys = gradient(got.d_keys, ref.d_keys, longest(p.queries));
  if (p.hard.rows > 0) e.d_hard = gradient(got.d_hard, ref.d_hard, longest(p.queries));
  e.d_scale = std::fabs(got.result.logit_scale_grad - ref.logit_scale_grad) /
              std::fmax(std::fabs(ref.logit_scale_grad), p.largest_logit / s);
  return e;
}

using Edit = std::function<void(Problem&)>;

inline void visit(const std::function<void(const Problem&)>& f) {
  using cases::ObjectiveKind;
  const int64_t rows = 61, dim = 8;
  const auto labelled = [&](ObjectiveKind kind) {
    return [kind](Problem& p) { p.request.objective = infcl::make_objective(kind); };
  };
  const auto classes = [&](bool keys) {
    return [=](Problem& p) {
      p.request.objective = infcl::make_objective(ObjectiveKind::kSupCon, keys);
      for (int64_t i = 0; i < rows; ++i) p.classes.push_back(static_cast<int32_t>(i % 7));
      p.request.query_classes = p.request.key_classes = p.classes.data();
      if (!keys) p.keys = {{}, 0, dim};
    };
  };
  const std::pair<const char*, Edit> kinds[] = {
      {"clip", labelled(ObjectiveKind::kClip)},
      {"infonce", labelled(ObjectiveKind::kInfoNce)},
      {"ntxent", labelled(ObjectiveKind::kNtXent)},
      {"siglip",
       [&](Problem& p) {
         labelled(ObjectiveKind::kSigLip)(p);
         p.request.logit_bias = -10;
       }},
      {"supcon", classes(true)},
      {"supcon of queries", classes(false)},
      {"clip, smoothing",
       [&](Problem& p) {
         labelled(ObjectiveKind::kClip)(p);
         p.request.label_smoothing = 0.1;
       }},
      {"clip, margin 0",
       [&](Problem& p) {
         labelled(ObjectiveKind::kClip)(p);
         p.request.has_margin = true;
       }},
      {"ntxent, margin 0",
       [&](Problem& p) {
         labelled(ObjectiveKind::kNtXent)(p);
         p.request.has_margin = true;
       }},
      {"infonce, hard negatives",
       [&](Problem& p) {
         labelled(ObjectiveKind::kInfoNce)(p);
         p.request.hard_negatives_per_query = 2;
       }},
      {"infonce, hard negatives, margin 0",
       [&](Problem& p) {
         labelled(ObjectiveKind::kInfoNce)(p);
         p.request.hard_negatives_per_query = 2;
         p.request.has_margin = true;
       }},
      {"clip, hardness",
       [&](Problem& p) {
         labelled(ObjectiveKind::kClip)(p);
         p.request.hardness = p.request.logit_scale;
       }},
  };
  for (const double scale : {1., 100.})
    for (int power = 0; power <= 52; power += 4)
      for (const auto& [name, edit] : kinds) {
        Problem p;
        const float factor = std::ldexp(1.f, power);
        p.name = std::string(name) + " scale " + std::to_string(scale) + " factor 2^" + std::to_string(power);
        p.queries = integer_features(rows, dim, 1, factor);
        p.keys = integer_features(rows, dim, 2, factor);
        p.request.logit_scale = scale;
        edit(p);
        if (p.request.hard_negatives_per_query > 0) {
          p.hard = integer_features(rows * p.request.hard_negatives_per_query, dim, 3, factor);
          for (int64_t i = 0; i < rows; i += 2)  // some are copies of the positive
            std::copy_n(p.keys.data.begin() + i * dim, dim,
                        p.hard.data.begin() + i * p.request.hard_negatives_per_query * dim);
          p.request.hard_negatives = p.hard.view();
        }
        p.request.queries = p.queries.view();
        p.request.keys = p.keys.view();
        p.largest_logit = (scale + p.request.hardness) * longest(p.queries) *
                          std::fmax(longest(p.keys), longest(p.queries));
        p.masked_pairs = oracle::masked_pairs(p.request, p.queries, p.keys);
        f(p);
      }
}

}  // namespace large
