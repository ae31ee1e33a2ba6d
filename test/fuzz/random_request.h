// A random request that keeps to the rules of check_request, on buffers of exactly the size a caller must
// bring: one element read or written too far is the sanitizer's. Shapes lie around the edges of tiles,
// features around the edges of their types.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "binding/check_request.h"
#include "core/request.h"
#include "exact_array.h"
#include "fuzz_bytes.h"

namespace fuzz {

enum class Values { kUsual, kLarge, kTiny, kAnyBits };

class RandomRequest {
 public:
  explicit RandomRequest(Bytes& in) : in_(in), generator_(in.word()) {
    choose_objective();
    choose_shapes();
    choose_terms();
    choose_outputs();
    choose_resources();
  }

  // Throws where the request breaks a rule that the addon enforces: the engine never sees such a request.
  void check() const {
    const infcl::Objective named = infcl::make_objective(kind_, has_keys_);
    infcl::binding::check_request(request, named, directions_, false);
  }

  infcl::ContrastiveRequest request;
  Values values = Values::kUsual;
  bool moderate = true;  // features, scale and bias of a size at which everything must be finite
  std::vector<ExactArray<float>> outputs;  // of which the request has pointers
  int32_t control[infcl::Control::kWords] = {0, 0, 0};

 private:
  using Kind = infcl::ObjectiveKind;

  void choose_objective() {
    static constexpr Kind kKinds[] = {Kind::kClip, Kind::kInfoNce, Kind::kNtXent, Kind::kSupCon,
                                      Kind::kSigLip};
    const int64_t which = in_.below(6);
    directions_ = which == 5 ? static_cast<unsigned>(in_.below(8) * 2 + 1) : 0;
    kind_ = which == 5 ? Kind::kInfoNce : kKinds[which];
    has_keys_ = kind_ != Kind::kSupCon || in_.flag();
    request.objective = directions_ ? infcl::make_directions(directions_, in_.flag())
                                    : infcl::make_objective(kind_, has_keys_);
  }

  void choose_shapes() {
    const bool large = in_.rarely(16);
    const int64_t rows = in_.between(1, large ? 700 : 40), dim = in_.between(1, large ? 40 : 90);
    const bool paired =
        kind_ == Kind::kClip || kind_ == Kind::kNtXent || kind_ == Kind::kSupCon || directions_ > 1;
    const bool labelled = kind_ == Kind::kInfoNce && directions_ == 0 && in_.flag();
    const bool may_have_hard = kind_ == Kind::kClip || kind_ == Kind::kInfoNce;
    listed_ = may_have_hard && directions_ == 0 && !labelled && in_.rarely(3);
    int64_t keys = rows;
    if (listed_) {
      keys = in_.flag() ? in_.between(1, 3 * rows) : rows;
    } else if (!paired && in_.flag())
      keys = labelled ? in_.between(1, 3 * rows) : rows + in_.below(3 * rows);
    values = in_.rarely(4) ? static_cast<Values>(in_.below(4)) : Values::kUsual;
    moderate = values == Values::kUsual || values == Values::kTiny;
    request.queries = matrix(queries_, rows, dim);
    if (has_keys_) request.keys = matrix(keys_, keys, dim);
    if (may_have_hard && in_.rarely(3)) choose_hard_negatives(rows, dim);
    if (listed_) {
      request.positives = lists(rows, keys, {1, 1 + in_.below(4)});
      request.objective = infcl::with_listed_positives(request.objective);
    }
    if (labelled) request.labels = integers(rows, keys);
  }

  void choose_hard_negatives(int64_t rows, int64_t dim) {
    request.hard_negatives_per_query = in_.between(1, 4);
    int64_t count = rows * request.hard_negatives_per_query;
    if (in_.flag()) {
      request.hard_negatives_per_query = 0;
      request.hard_negative_offsets = offsets(rows, {0, 4});
      count = request.hard_negative_offsets[rows];
      if (count == 0) request.hard_negative_offsets = nullptr;
    }
    if (count > 0) request.hard_negatives = matrix(hard_negatives_, count, dim);
  }

  void choose_terms() {
    infcl::ContrastiveRequest& r = request;
    static constexpr double kScales[] = {1, 14, 100, 1e-3, 1000};
    r.logit_scale = kScales[in_.below(5)];
    if (in_.rarely(12)) {
      r.logit_scale = std::exp2(in_.between(-140, 127));
      moderate = false;
    }
    const int64_t rows = r.queries.rows;
    if (kind_ == Kind::kSupCon) {
      r.query_classes = integers(rows, in_.between(1, rows));
      if (has_keys_) r.key_classes = r.query_classes;
      return;
    }
    if (in_.rarely(3)) {
      r.query_ids = integers(rows, in_.between(1, 2 * rows));
      r.key_ids = integers(r.keys.rows, in_.between(1, 2 * rows));
    }
    if (kind_ != Kind::kNtXent && in_.rarely(3)) r.excluded = lists(rows, r.keys.rows, {0, in_.below(9)});
    if (!(listed_ && kind_ == Kind::kClip) && in_.rarely(3)) choose_weights(rows);
    if (kind_ == Kind::kSigLip) {
      r.logit_bias = in_.flag() ? -10 : 40 * (in_.unit() - 0.5);
      return;
    }
    if (!listed_ && in_.rarely(3)) {
      r.has_margin = true;
      r.margin = 2 * (in_.unit() - 0.5);
    }
    if (!listed_ && in_.rarely(3)) {
      r.label_smoothing = in_.unit();
    } else if (in_.rarely(3)) {
      r.hardness = in_.flag() ? 5 * in_.unit() : 0;
      r.hard_negative_hardness = 5 * in_.unit();
    }
    if (!listed_ && (kind_ == Kind::kClip || kind_ == Kind::kInfoNce)) choose_frozen();
  }

  // Features of other models, a guide and a teacher.
  void choose_frozen() {
    infcl::ContrastiveRequest& r = request;
    if (in_.rarely(4)) {
      const int64_t dim = in_.between(1, 40);
      r.guide.queries = matrix(guide_queries_, r.queries.rows, dim);
      r.guide.keys = matrix(guide_keys_, r.keys.rows, dim);
      if (r.hard_negatives.rows > 0 && in_.flag())
        r.guide.hard_negatives = matrix(guide_hard_negatives_, r.hard_negatives.rows, dim);
      r.guide.margin = 2 * (in_.unit() - 0.5);
      r.guide.relative = in_.flag();
    }
    if (directions_ == 0 && r.hard_negatives.rows == 0 && r.hardness == 0 && in_.rarely(4)) {
      const int64_t dim = in_.between(1, 40);
      r.hard_negative_hardness = 0;
      r.teacher.queries = matrix(teacher_queries_, r.queries.rows, dim);
      r.teacher.keys = matrix(teacher_keys_, r.keys.rows, dim);
      r.teacher.logit_scale = 100 * in_.unit() + 1e-3;
      r.teacher.weight = 3 * in_.unit();
    }
  }

  void choose_weights(int64_t rows) {
    ExactArray<float> weights(rows, in_.below(4));
    for (int64_t i = 0; i < rows; ++i)
      weights[i] = generator_.next() % 3 ? static_cast<float>(generator_.unit()) : 0.f;
    weights[rows - 1] = 1;
    request.query_weights = weights.data();
    floats_.push_back(std::move(weights));
  }

  void choose_outputs() {
    infcl::ContrastiveRequest& r = request;
    const int64_t rows = r.queries.rows, dim = r.queries.dim;
    r.gradient = !in_.rarely(4);
    if (in_.flag()) {
      r.row_loss = output(rows);
      r.row_lse = output(rows);
      first_ = ExactArray<uint8_t>(rows, in_.below(4));
      r.row_positive_first = first_.data();
    }
    if (!r.gradient) return;
    if (!in_.rarely(4)) r.d_queries = output(rows * dim);
    if (has_keys_ && !in_.rarely(4)) {
      const bool keys_meet_keys =
          kind_ == Kind::kNtXent || kind_ == Kind::kSupCon || (directions_ & infcl::kKeyToKey);
      r.d_key_rows = keys_meet_keys || in_.flag() ? r.keys.rows : in_.between(1, r.keys.rows);
      r.d_keys = output(r.d_key_rows * dim);
    }
    if (r.hard_negatives.rows > 0 && in_.flag()) r.d_hard_negatives = output(r.hard_negatives.rows * dim);
    if (in_.rarely(4)) r.gradient_filter = std::exp2(-in_.between(0, 20)) * 0.999;
  }

  void choose_resources() {
    request.bfloat16 = in_.flag();
    request.threads = static_cast<int>(in_.below(6));
    if (in_.rarely(3))
      request.workspace_bytes = in_.flag() ? in_.between(1, 60000) : in_.between(1, 60000) * 1000;
    request.control.words = control;
  }

  float* output(int64_t size) {
    outputs.emplace_back(size, in_.below(4));
    return outputs.back().data();
  }

  int32_t* integers(int64_t count, int64_t below) {
    ExactArray<int32_t> array(count, in_.below(4));
    for (int64_t i = 0; i < count; ++i)
      array[i] = static_cast<int32_t>(generator_.next() % static_cast<uint64_t>(below));
    integers_.push_back(std::move(array));
    return integers_.back().data();
  }

  struct Lengths {
    int64_t least, most;
  };

  int32_t* offsets(int64_t rows, const Lengths& lengths) {
    ExactArray<int32_t> array(rows + 1, in_.below(4));
    array[0] = 0;
    for (int64_t i = 0; i < rows; ++i) {
      const auto more = generator_.next() % static_cast<uint64_t>(lengths.most - lengths.least + 1);
      array[i + 1] = static_cast<int32_t>(array[i] + lengths.least + static_cast<int64_t>(more));
    }
    integers_.push_back(std::move(array));
    return integers_.back().data();
  }

  // Distinct keys of each query, ascending.
  infcl::KeyLists lists(int64_t rows, int64_t keys, Lengths lengths) {
    lengths.most = std::min(lengths.most, keys);
    const int32_t* const ends = offsets(rows, lengths);
    ExactArray<int32_t> array(ends[rows], in_.below(4));
    for (int64_t i = 0; i < rows; ++i) {
      const auto first = static_cast<int64_t>(generator_.next() % static_cast<uint64_t>(keys));
      for (int64_t at = ends[i]; at < ends[i + 1]; ++at)
        array[at] = static_cast<int32_t>((first + at - ends[i]) % keys);
      std::sort(array.data() + ends[i], array.data() + ends[i + 1]);
    }
    integers_.push_back(std::move(array));
    return {ends, integers_.back().data()};
  }

  float value() {
    switch (values) {
      case Values::kLarge:
        return static_cast<float>((generator_.unit() - 0.5) * 1e18);
      case Values::kTiny:
        return static_cast<float>((generator_.unit() - 0.5) * 1e-41);
      case Values::kAnyBits: {
        const uint32_t word = static_cast<uint32_t>(generator_.next());
        float v;
        std::memcpy(&v, &word, sizeof v);
        return v;
      }
      default:
        return static_cast<float>((generator_.unit() - 0.5) * 2);
    }
  }

  infcl::MatrixView matrix(Features& f, int64_t rows, int64_t dim) {
    const auto dtype = static_cast<infcl::DType>(in_.rarely(2) ? in_.below(3) : 0);
    const int64_t stride = dim + (in_.rarely(3) ? in_.below(9) : 0);
    const int64_t size = (rows - 1) * stride + dim, skip = in_.below(4);
    const bool wide = dtype == infcl::DType::kFloat32;
    if (wide)
      f.wide = ExactArray<float>(size, skip);
    else
      f.narrow = ExactArray<uint16_t>(size, skip);
    // one wrong feature somewhere, which must be found
    const int64_t broken = in_.rarely(40) ? in_.below(rows) * stride + in_.below(dim) : -1;
    for (int64_t at = 0; at < size; ++at) {
      const float v = at == broken ? HUGE_VALF : value();
      if (wide)
        f.wide[at] = v;
      else
        f.narrow[at] = dtype == infcl::DType::kFloat16 ? to_half(v) : to_bfloat(v);
    }
    has_broken_feature = has_broken_feature || broken >= 0;
    f.view = {wide ? static_cast<const void*>(f.wide.data()) : f.narrow.data(), dtype, rows, dim, stride, {}};
    return f.view;
  }

 public:
  bool has_broken_feature = false;

 private:
  Bytes& in_;
  Generator generator_;
  Kind kind_ = Kind::kClip;
  unsigned directions_ = 0;
  bool has_keys_ = true, listed_ = false;
  Features queries_, keys_, hard_negatives_;
  Features guide_queries_, guide_keys_, guide_hard_negatives_, teacher_queries_, teacher_keys_;
  ExactArray<uint8_t> first_;
  std::vector<ExactArray<int32_t>> integers_;
  std::vector<ExactArray<float>> floats_;
};

}  // namespace fuzz
