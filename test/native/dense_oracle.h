// The slow, obvious float64 contrastive loss that the native tests hold the engine against. It knows nothing
// of similarities or normalisers: every anchor has an explicit list of the similarities that count, each with
// its logit and its target.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "core/request.h"

namespace oracle {

struct Features {
  std::vector<float> data;
  int64_t rows, dim;
  infcl::MatrixView view() const { return {data.data(), infcl::DType::kFloat32, rows, dim, dim, {}}; }
};

// Unit rows that share a direction, so that logits are neither all alike nor centred on zero.
inline Features random_features(int64_t rows, int64_t dim, unsigned seed, float common = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Features f{std::vector<float>(static_cast<size_t>(rows * dim)), rows, dim};
  for (int64_t i = 0; i < rows; ++i) {
    double norm = 0;
    for (int64_t d = 0; d < dim; ++d) {
      const float v = normal(generator) + (d == 0 ? common : 0.f);
      f.data[i * dim + d] = v;
      norm += static_cast<double>(v) * v;
    }
    for (int64_t d = 0; d < dim; ++d) f.data[i * dim + d] /= static_cast<float>(std::sqrt(norm));
  }
  return f;
}

struct Result {
  double loss = 0, logit_scale_grad = 0, logit_bias_grad = 0;
  std::vector<double> d_queries, d_keys, d_hard;
};

enum Side { kQ, kK, kHard };

// One similarity in an anchor's loss.
struct Term {
  Side a;
  int64_t i;
  Side b;
  int64_t j;
  double target = 0;
  bool positive = false;
};

struct Anchor {
  double weight;
  std::vector<Term> terms;
};

class Dense {
 public:
  Dense(const infcl::ContrastiveRequest& r, const Features& q, const Features& k) : r_(r), q_(q), k_(k) {
    out_.d_queries.assign(q.data.size(), 0);
    out_.d_keys.assign(k.data.size(), 0);
    out_.d_hard.assign(static_cast<size_t>(r.hard_negatives.rows * q.dim), 0);
  }

  // sum_a weight [ lse(x) - sum_t target_t x_t ], targets adding up to 1: all of it relative to the largest
  // x, so that logits may be of any size
  void softmax(const Anchor& anchor) {
    double max = -HUGE_VAL, sum = 0;
    for (const Term& t : anchor.terms) max = std::fmax(max, logit(t));
    for (const Term& t : anchor.terms) sum += std::exp(logit(t) - max);
    out_.loss += anchor.weight * std::log(sum);
    for (const Term& t : anchor.terms) {
      out_.loss += anchor.weight * t.target * (max - logit(t));
      differentiate(t, anchor.weight * (std::exp(logit(t) - max) / sum - t.target));
    }
  }

  void sigmoid(const Term& t, double weight) {
    const double x = r_.logit_scale * dot(t) + r_.logit_bias, z = t.positive ? -x : x;
    out_.loss += weight * (std::fmax(z, 0) + std::log1p(std::exp(-std::fabs(z))));
    const double g = weight * (1 / (1 + std::exp(-x)) - t.positive);
    out_.logit_bias_grad += g;
    differentiate(t, g);
  }

  double dot(const Term& t) const {
    const float *x = row(t.a, t.i), *y = row(t.b, t.j);
    double sum = 0;
    for (int64_t d = 0; d < q_.dim; ++d) sum += static_cast<double>(x[d]) * y[d];
    return sum;
  }

  const Result& result() const { return out_; }

 private:
  const float* row(Side s, int64_t i) const {
    if (s == kHard) return static_cast<const float*>(r_.hard_negatives.row(i));
    return (s == kQ ? q_ : k_).data.data() + i * q_.dim;
  }
  double* gradient(Side s, int64_t i) {
    return (s == kQ ? out_.d_queries : s == kK ? out_.d_keys : out_.d_hard).data() + i * q_.dim;
  }
  double logit(const Term& t) const {
    const double extra = t.positive ? 0 : t.b == kHard ? r_.hard_negative_hardness : r_.hardness;
    return (r_.logit_scale + extra) * dot(t);
  }
  void differentiate(const Term& t, double g) {
    out_.logit_scale_grad += g * dot(t);
    const float *x = row(t.a, t.i), *y = row(t.b, t.j);
    double *dx = gradient(t.a, t.i), *dy = gradient(t.b, t.j);
    for (int64_t d = 0; d < q_.dim; ++d) {
      dx[d] += r_.logit_scale * g * y[d];
      dy[d] += r_.logit_scale * g * x[d];
    }
  }

  const infcl::ContrastiveRequest& r_;
  const Features &q_, &k_;
  Result out_;
};

inline double dot_of(const infcl::MatrixView& a, int64_t i, const infcl::MatrixView& b, int64_t j) {
  const float *x = static_cast<const float*>(a.row(i)), *y = static_cast<const float*>(b.row(j));
  double sum = 0;
  for (int64_t d = 0; d < a.dim; ++d) sum += static_cast<double>(x[d]) * y[d];
  return sum;
}

// Which similarities count, of an objective with label positives.
class Exclusion {
 public:
  Exclusion(const infcl::ContrastiveRequest& r, const Dense& dense) : r_(r), dense_(dense) {}

  int64_t label(int64_t i) const { return r_.labels ? r_.labels[i] : i; }
  bool positive(int64_t query, int64_t key) const {
    return r_.positives.any() ? listed(r_.positives, query, key) : key == label(query);
  }
  // Neither of equal ids, nor listed, nor beyond the limit of its anchor, or of either of two.
  bool counts(const Term& t, int64_t anchor, int64_t other, bool two_sided) const {
    if (r_.query_ids && t.b != kHard && id(t.a, t.i) == id(t.b, t.j)) return false;
    if (r_.excluded.any() && t.a == kQ && t.b == kK && listed(r_.excluded, t.i, t.j)) return false;
    if (above_guide(t, anchor) || (two_sided && above_guide(t, other))) return false;
    if (!r_.has_margin) return true;
    return dense_.dot(t) <= limit(anchor) && !(two_sided && dense_.dot(t) > limit(other));
  }

 private:
  static bool listed(const infcl::KeyLists& lists, int64_t query, int64_t key) {
    const int32_t* const end = lists.keys + lists.offsets[query + 1];
    return std::find(lists.keys + lists.offsets[query], end, key) != end;
  }
  // Whether the guide has the pair above the limit of this anchor. Its features are float32, and their dots
  // exact.
  bool above_guide(const Term& t, int64_t anchor) const {
    const infcl::Guide& guide = r_.guide;
    if (!guide.given() || (t.b == kHard && guide.hard_negatives.rows == 0)) return false;
    const double positive = dot_of(guide.queries, anchor, guide.keys, label(anchor));
    const infcl::MatrixView* sides[] = {&guide.queries, &guide.keys, &guide.hard_negatives};
    const double limit = positive - (guide.relative ? std::fabs(positive) * guide.margin : guide.margin);
    return dot_of(*sides[t.a], t.i, *sides[t.b], t.j) > static_cast<float>(limit);
  }
  int32_t id(Side s, int64_t i) const { return s == kQ ? r_.query_ids[i] : r_.key_ids[i]; }
  double limit(int64_t i) const { return dense_.dot({kQ, i, kK, label(i)}) + r_.margin; }

  const infcl::ContrastiveRequest& r_;
  const Dense& dense_;
};

// Pairs that ids and limits exclude, each of them once.
inline int64_t masked_pairs(const infcl::ContrastiveRequest& r, const Features& q, const Features& k) {
  const infcl::Objective& o = r.objective;
  if (!o.labelled()) return 0;
  const Dense dense(r, q, k);
  const Exclusion rules(r, dense);
  int64_t masked = 0;
  for (int p = 0; p < o.similarity_count; ++p) {
    const infcl::Similarity& similarity = o.similarities[p];
    const Side a = similarity.rows == infcl::Side::kQueries ? kQ : kK, b = similarity.triangle() ? a : kK;
    const int64_t rows = (a == kQ ? q : k).rows, columns = (b == kQ ? q : k).rows;
    const bool both = similarity.column_normaliser != infcl::kNone;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = similarity.triangle() ? i + 1 : 0; j < columns; ++j)
        if (similarity.triangle() || !rules.positive(i, j)) masked += !rules.counts({a, i, b, j}, i, j, both);
  }
  for (int64_t i = 0; r.hard_negatives.rows > 0 && i < q.rows; ++i) {
    const infcl::Range own = r.hard_negative_rows().of(i);
    for (int64_t h = own.begin; h < own.end; ++h) masked += !rules.counts({kQ, i, kHard, h}, i, i, false);
  }
  return masked;
}

// The same denominator, whose targets are the teacher's probabilities.
inline Anchor taught(const infcl::Teacher& teacher, Anchor anchor) {
  std::vector<double> y;
  double max = -HUGE_VAL, sum = 0;
  for (const Term& t : anchor.terms) {
    y.push_back(teacher.logit_scale * dot_of(teacher.queries, t.i, teacher.keys, t.j));
    max = std::fmax(max, y.back());
  }
  for (const double one : y) sum += std::exp(one - max);
  for (size_t t = 0; t < y.size(); ++t) anchor.terms[t].target = std::exp(y[t] - max) / sum;
  anchor.weight *= teacher.weight;
  return anchor;
}

// Label positives: the anchors of pair i in each direction that the objective has.
inline Result labelled(const infcl::ContrastiveRequest& r, const Features& q, const Features& k) {
  Dense dense(r, q, k);
  const Exclusion rules(r, dense);
  const int64_t m = q.rows, n = k.rows;
  double total_weight = 0;
  for (int64_t i = 0; i < m; ++i) total_weight += r.query_weights ? r.query_weights[i] : 1;
  const infcl::Objective& o = r.objective;
  for (int64_t i = 0; i < m; ++i)
    for (int norm = 0; norm < o.normaliser_count; ++norm) {
      Anchor anchor{o.normalisers[norm].weight * (r.query_weights ? r.query_weights[i] : 1) / total_weight,
                    {}};
      anchor.terms.push_back({kQ, i, kK, rules.label(i), 0, true});
      for (int p = 0; p < o.similarity_count; ++p) {
        const infcl::Similarity& similarity = o.similarities[p];
        const Side a = similarity.rows == infcl::Side::kQueries ? kQ : kK;
        const bool both = similarity.column_normaliser != infcl::kNone;
        if (similarity.triangle()) {
          for (int64_t j = 0; similarity.row_normaliser == norm && j < (a == kQ ? m : n); ++j)
            if (j != i && rules.counts({a, i, a, j}, i, j, true)) anchor.terms.push_back({a, i, a, j});
          continue;
        }
        for (int64_t j = 0; similarity.row_normaliser == norm && j < n; ++j)
          if (j != rules.label(i) && rules.counts({kQ, i, kK, j}, i, j, both))
            anchor.terms.push_back({kQ, i, kK, j});
        for (int64_t j = 0; similarity.column_normaliser == norm && j < m; ++j)
          if (j != i && rules.counts({kQ, j, kK, i}, i, j, true)) anchor.terms.push_back({kQ, j, kK, i});
      }
      const infcl::Range own =
          norm == 0 && r.hard_negatives.rows > 0 ? r.hard_negative_rows().of(i) : infcl::Range{};
      for (int64_t h = own.begin; h < own.end; ++h) {
        const Term t{kQ, i, kHard, h};
        if (rules.counts(t, i, i, false)) anchor.terms.push_back(t);
      }
      const double uniform = r.label_smoothing / static_cast<double>(anchor.terms.size());
      for (Term& t : anchor.terms) t.target = uniform + (t.positive ? 1 - r.label_smoothing : 0);
      dense.softmax(anchor);
      if (r.teacher.given()) dense.softmax(taught(r.teacher, anchor));
    }
  return dense.result();
}

// Lists of positives: each positive of an anchor has a cross-entropy of its own, without the anchor's other
// positives. Anchors are the queries, and with two normalisers the keys that some query lists.
inline Result listed(const infcl::ContrastiveRequest& r, const Features& q, const Features& k) {
  Dense dense(r, q, k);
  const Exclusion rules(r, dense);
  const auto add = [&](double weight, const std::vector<Term>& positives,
                       const std::vector<Term>& negatives) {
    for (const Term& p : positives) {
      Anchor anchor{weight / static_cast<double>(positives.size()), {p}};
      anchor.terms.insert(anchor.terms.end(), negatives.begin(), negatives.end());
      dense.softmax(anchor);
    }
  };
  double total_weight = 0;
  for (int64_t i = 0; i < q.rows; ++i) total_weight += r.query_weights ? r.query_weights[i] : 1;
  const infcl::Objective& o = r.objective;
  for (int64_t i = 0; i < q.rows; ++i) {
    std::vector<Term> positives, negatives;
    for (int64_t j = 0; j < k.rows; ++j) {
      if (rules.positive(i, j))
        positives.push_back({kQ, i, kK, j, 1, true});
      else if (rules.counts({kQ, i, kK, j}, i, j, false))
        negatives.push_back({kQ, i, kK, j});
    }
    const infcl::Range own = r.hard_negatives.rows > 0 ? r.hard_negative_rows().of(i) : infcl::Range{};
    for (int64_t h = own.begin; h < own.end; ++h)
      if (rules.counts({kQ, i, kHard, h}, i, i, false)) negatives.push_back({kQ, i, kHard, h});
    add(o.normalisers[0].weight * (r.query_weights ? r.query_weights[i] : 1) / total_weight, positives,
        negatives);
  }
  if (o.normaliser_count == 1) return dense.result();
  std::vector<std::vector<Term>> positives(static_cast<size_t>(k.rows)), negatives(positives);
  double anchors = 0;
  for (int64_t j = 0; j < k.rows; ++j) {
    for (int64_t i = 0; i < q.rows; ++i) {
      if (rules.positive(i, j))
        positives[j].push_back({kQ, i, kK, j, 1, true});
      else if (rules.counts({kQ, i, kK, j}, i, j, false))
        negatives[j].push_back({kQ, i, kK, j});
    }
    anchors += !positives[j].empty();
  }
  for (int64_t j = 0; j < k.rows; ++j) add(o.normalisers[1].weight / anchors, positives[j], negatives[j]);
  return dense.result();
}

// Khosla et al. 2020, L_out, over queries and, when there are any, keys.
inline Result supcon(const infcl::ContrastiveRequest& r, const Features& q, const Features& k) {
  Dense dense(r, q, k);
  struct Row {
    Side side;
    int64_t index;
    int32_t cls;
  };
  std::vector<Row> rows;
  for (int64_t i = 0; i < q.rows; ++i) rows.push_back({kQ, i, r.query_classes[i]});
  for (int64_t i = 0; i < k.rows; ++i) rows.push_back({kK, i, r.key_classes[i]});
  const auto positives = [&](size_t a) {
    int64_t count = -1;
    for (const Row& row : rows) count += row.cls == rows[a].cls;
    return count;
  };
  int64_t anchors = 0;
  for (size_t a = 0; a < rows.size(); ++a) anchors += positives(a) > 0;
  for (size_t a = 0; a < rows.size(); ++a) {
    const int64_t p = positives(a);
    if (p == 0) continue;
    Anchor anchor{1. / static_cast<double>(anchors), {}};
    for (size_t b = 0; b < rows.size(); ++b)
      if (a != b)
        anchor.terms.push_back({rows[a].side, rows[a].index, rows[b].side, rows[b].index,
                                rows[a].cls == rows[b].cls ? 1. / static_cast<double>(p) : 0, false});
    dense.softmax(anchor);
  }
  return dense.result();
}

inline Result siglip(const infcl::ContrastiveRequest& r, const Features& q, const Features& k) {
  Dense dense(r, q, k);
  const Exclusion rules(r, dense);
  double total_weight = 0;
  for (int64_t i = 0; i < q.rows; ++i) total_weight += r.query_weights ? r.query_weights[i] : 1;
  for (int64_t i = 0; i < q.rows; ++i)
    for (int64_t j = 0; j < k.rows; ++j) {
      const Term t{kQ, i, kK, j, 0, j == (r.labels ? r.labels[i] : i)};
      if (!t.positive && !rules.counts(t, i, j, false)) continue;
      dense.sigmoid(t, (r.query_weights ? r.query_weights[i] : 1) / total_weight);
    }
  return dense.result();
}

inline Result dense(const infcl::ContrastiveRequest& r, const Features& q, const Features& k) {
  if (r.objective.sigmoid()) return siglip(r, q, k);
  if (r.positives.any()) return listed(r, q, k);
  return r.objective.labelled() ? labelled(r, q, k) : supcon(r, q, k);
}

// ||out - ref|| / max(||ref||, floor)
inline double relative_error(const std::vector<float>& out, const std::vector<double>& ref, double floor) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    error += (out[i] - ref[i]) * (out[i] - ref[i]);
    norm += ref[i] * ref[i];
  }
  return std::sqrt(error) / std::fmax(std::sqrt(norm), floor);
}

}  // namespace oracle
