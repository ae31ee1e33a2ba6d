#include "binding/marshal.h"

#include <optional>

#include "binding/check_request.h"
#include "binding/failure.h"
#include "binding/marshal_frozen.h"
#include "binding/marshal_lists.h"
#include "binding/request_parts.h"
#include "binding/request_reader.h"

namespace infcl::binding {

namespace {

ObjectiveKind read_objective_kind(const RequestReader& in) {
  const std::string name = in.string("objective");
  if (const std::optional<ObjectiveKind> kind = objective_kind(name)) return *kind;
  throw RequestError("ERR_TYPE", "Unknown objective " + name);
}

// The options of the loss: positives, masks, weights and numbers.
void read_terms(const RequestReader& in, int device, ContrastiveRequest& request) {
  const int64_t rows = request.queries.rows, keys = request.keys.rows;
  const auto integers = [&](const char* name, int64_t count) {
    return static_cast<const int32_t*>(in.typed_array_or_null(name, napi_int32_array, count));
  };
  request.labels = integers("labels", rows);
  request.query_classes = integers("queryClasses", rows);
  request.key_classes = integers("keyClasses", keys);
  request.query_ids = integers("queryIds", rows);
  request.key_ids = integers("keyIds", keys);
  request.positives = read_key_lists(in, "positives", rows, keys);
  request.excluded = read_key_lists(in, "excludedPairs", rows, keys);
  request.query_weights =
      static_cast<const float*>(in.typed_array_or_null("queryWeights", napi_float32_array, rows));
  request.logit_scale = in.number("logitScale");
  request.logit_bias = in.number("logitBias");
  request.label_smoothing = in.number("labelSmoothing");
  request.hardness = in.number("hardness");
  request.hard_negative_hardness = in.number("hardNegativeHardness");
  request.has_margin = !in.is_null("falseNegativeMargin");
  if (request.has_margin) request.margin = in.number("falseNegativeMargin");
  if (!in.is_null("hardNegatives")) {
    request.hard_negatives = read_matrix(in.object("hardNegatives"), device);
    request.hard_negative_offsets = read_offsets(in, "hardNegativeOffsets", rows);
    if (!request.hard_negative_offsets) request.hard_negatives_per_query = request.hard_negatives.rows / rows;
    if (request.hard_negatives.rows != request.hard_negative_rows().of(rows - 1).end ||
        request.hard_negatives.dim != request.queries.dim)
      throw RequestError(
          "ERR_SHAPE",
          "Expected as many rows of hardNegatives for every query or as offsets say, of its dim");
  } else if (!in.is_null("hardNegativeOffsets")) {
    throw RequestError("ERR_VALUE", "Expected hardNegatives beside hardNegativeOffsets");
  }
  request.hard_negative_ids = integers("hardNegativeIds", request.hard_negatives.rows);
}

// The memory for a gradient.
struct GradientTarget {
  int64_t rows = 0;
  float* data = nullptr;
  GradientLayout layout;
};

// The expected size of a gradient. With `may_be_fewer`, its memory may have room for fewer rows.
struct GradientSize {
  int64_t rows, dim;
  bool may_be_fewer = false;
};

GradientTarget read_gradient(const RequestReader& in, const char* name, int device,
                             const GradientSize& size) {
  if (in.is_null(name)) return {};
  if (in.is_typed_array(name)) {
    const int64_t rows = size.may_be_fewer ? in.length(name) / size.dim : size.rows;
    return {rows, static_cast<float*>(in.typed_array(name, napi_float32_array, rows * size.dim)), {}};
  }
  const RequestReader object = in.object(name);
  const bool is_file = object.is_mapping("data");
  const MatrixView target = read_matrix(object, device);
  const bool fits = target.rows == size.rows || (size.may_be_fewer && target.rows < size.rows);
  const bool is_place = is_file ? target.stride == target.dim : target.place.on_device;
  if (!is_place || target.dtype != DType::kFloat32 || target.dim != size.dim || !fits)
    throw RequestError("ERR_SHAPE",
                       std::string("Expected device memory or a file of the gradient's shape for ") + name);
  if (is_file && !object.mapping("data", 0).writable())
    throw RequestError("ERR_TYPE", std::string("Expected a writable file for ") + name);
  return {target.rows, static_cast<float*>(const_cast<void*>(target.data)), {target.stride, target.place}};
}

void read_outputs(const RequestReader& in, int device, ContrastiveRequest& request) {
  const int64_t rows = request.queries.rows;
  const int64_t dim = request.queries.dim;
  request.gradient = in.boolean("gradient");
  request.gradient_filter = in.number("gradientFilter");
  const GradientTarget hard_negatives =
      read_gradient(in, "hardNegativeGrads", device, {request.hard_negatives.rows, dim});
  request.d_hard_negatives = hard_negatives.data;
  request.d_hard_negatives_layout = hard_negatives.layout;
  const GradientTarget queries = read_gradient(in, "queryGrads", device, {rows, dim});
  request.d_queries = queries.data;
  request.d_queries_layout = queries.layout;
  const GradientTarget keys = read_gradient(in, "keyGrads", device, {request.keys.rows, dim, true});
  request.d_keys = keys.data;
  request.d_keys_layout = keys.layout;
  request.d_key_rows = keys.rows;
  if (keys.rows > request.keys.rows)
    throw RequestError("ERR_SHAPE", "Expected no more rows of keyGrads than of keys");
  if (!in.is_null("keyGrads") && keys.rows == 0)
    throw RequestError("ERR_SHAPE", "Expected at least one row of keyGrads");
  if (!in.is_null("rows")) {
    const RequestReader out = in.object("rows");
    request.row_loss = static_cast<float*>(out.typed_array("loss", napi_float32_array, rows));
    request.row_lse = static_cast<float*>(out.typed_array("lse", napi_float32_array, rows));
    request.row_positive_first =
        static_cast<uint8_t*>(out.typed_array("positiveFirst", napi_uint8_array, rows));
  }
}

}  // namespace

MarshalledCall read_contrastive_request(const Napi::Value& value) {
  MarshalledCall call;
  const RequestReader in(value, "", call.retained);
  call.backend = read_backend(in);
  if (!in.is_null("group")) call.group = &open_group_handle(in.value("group"));
  ContrastiveRequest& request = call.request;
  const int device = has_devices(call.backend.kind) ? call.backend.device : kNoDevice;
  request.queries = read_matrix(in.object("queries"), device);
  if (!in.is_null("keys")) request.keys = read_matrix(in.object("keys"), device);
  if (request.keys.rows > 0 && request.queries.dim != request.keys.dim)
    throw RequestError("ERR_SHAPE", "Expected queries and keys of equal dim");
  const Objective named = make_objective(read_objective_kind(in), request.keys.rows > 0);
  const unsigned directions = check_directions(in.integer("directions"));
  request.objective = directions != 0 ? make_directions(directions, in.boolean("jointPartition")) : named;
  request.bfloat16 = in.boolean("bfloat16");
  read_terms(in, device, request);
  if (request.positives.any()) request.objective = with_listed_positives(request.objective);
  read_frozen_features(in, call.backend.kind, request);
  read_outputs(in, device, request);
  request.threads = check_threads(in.integer("threads"));
  request.workspace_bytes = in.integer("workspaceBytes");
  request.control.words = static_cast<int32_t*>(in.typed_array("control", napi_int32_array, Control::kWords));
  check_request(request, named, directions, call.group != nullptr);
  if (has_devices(call.backend.kind) || call.group) refuse_alone(request);
  return call;
}

MarshalledPlan read_plan_request(const Napi::Value& value) {
  Retained none;
  const RequestReader in(value, "", none);
  MarshalledPlan plan;
  plan.backend = read_backend(in);
  PlanRequest& request = plan.request;
  request.rows = in.integer("queries");
  request.keys = in.integer("keys");
  const ObjectiveKind kind = read_objective_kind(in);
  request.objective = make_objective(kind, request.keys > 0);
  request.dtype = read_dtype(in);
  request.bfloat16 = in.boolean("bfloat16");
  request.dim = in.integer("dim");
  request.guide_dim = in.integer("guideDim");
  request.teacher_dim = in.integer("teacherDim");
  request.gradient = in.boolean("gradient");
  request.threads = check_threads(in.integer("threads"));
  request.workspace_bytes = in.integer("workspaceBytes");
  check_request(request);
  return plan;
}

static Napi::Array write_ring(Napi::Env env, const std::vector<RingStep>& steps) {
  const char* const phases[] = {"limits", "forward", "backward"};
  Napi::Array array = Napi::Array::New(env, steps.size());
  for (uint32_t i = 0; i < steps.size(); ++i) {
    Napi::Object step = Napi::Object::New(env);
    define(step, "phase", std::string(phases[static_cast<int>(steps[i].phase)]));
    define(step, "step", steps[i].step);
    define(step, "computedSeconds", steps[i].computed_seconds);
    define(step, "waitedSeconds", steps[i].waited_seconds);
    define(step, "bytesSent", steps[i].bytes_sent);
    array.Set(i, step);
  }
  return array;
}

Napi::Object write_stats(Napi::Env env, const Stats& stats) {
  Napi::Object object = Napi::Object::New(env);
  define(object, "isa", stats.isa);
  define(object, "threads", stats.threads);
  define(object, "flops", stats.flops);
  define(object, "seconds", stats.seconds);
  define(object, "forwardSeconds", stats.forward_seconds);
  define(object, "backwardSeconds", stats.backward_seconds);
  define(object, "workspaceBytes", stats.workspace_bytes);
  define(object, "peakBytes", stats.peak_bytes);
  define(object, "tiles", stats.tiles);
  define(object, "tilesReused", stats.tiles_reused);
  define(object, "tilesSkipped", stats.tiles_skipped);
  define(object, "maskedPairs", stats.masked_pairs);
  define(object, "slabs", stats.slabs);
  if (!stats.ring.empty()) define(object, "ring", write_ring(env, stats.ring));
  return object;
}

Napi::Object write_result(Napi::Env env, const ContrastiveResult& result) {
  Napi::Object object = Napi::Object::New(env);
  define(object, "loss", result.loss);
  define(object, "accuracy", result.accuracy);
  define(object, "logitScaleGrad", result.logit_scale_grad);
  define(object, "logitBiasGrad", result.logit_bias_grad);
  define(object, "stats", write_stats(env, result.stats));
  return object;
}

Napi::Object write_plan(Napi::Env env, const Plan& plan) {
  Napi::Object object = Napi::Object::New(env);
  define(object, "flops", plan.flops);
  define(object, "threads", plan.threads);
  define(object, "workspaceBytes", plan.workspace_bytes);
  define(object, "minimumWorkspaceBytes", plan.minimum_workspace_bytes);
  define(object, "lseBytes", plan.lse_bytes);
  define(object, "slabs", plan.slabs);
  define(object, "seconds", plan.seconds);
  return object;
}

Napi::Object write_cpu_info(Napi::Env env, const CpuInfo& info) {
  Napi::Array isas = Napi::Array::New(env, info.isas.size());
  for (uint32_t i = 0; i < info.isas.size(); ++i) isas.Set(i, info.isas[i]);
  Napi::Object object = Napi::Object::New(env);
  define(object, "isa", info.isa);
  define(object, "isas", isas);
  define(object, "threads", info.threads);
  return object;
}

Napi::Object write_cuda_info(Napi::Env env, const CudaInfo& info) {
  Napi::Array devices = Napi::Array::New(env, info.devices.size());
  for (uint32_t i = 0; i < info.devices.size(); ++i) devices.Set(i, info.devices[i]);
  Napi::Object object = Napi::Object::New(env);
  define(object, "available", info.available);
  define(object, "reason", info.reason);
  define(object, "devices", devices);
  return object;
}

}  // namespace infcl::binding
