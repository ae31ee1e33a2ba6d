#include "binding/marshal_search.h"

#include <cmath>
#include <string>

#include "binding/check_request.h"
#include "binding/failure.h"
#include "binding/request_parts.h"

namespace infcl::binding {

namespace {

void require(bool holds, const char* code, const char* message) {
  if (!holds) throw RequestError(code, message);
}

const int32_t* read_integers(const RequestReader& in, const char* name, int64_t count) {
  return static_cast<const int32_t*>(in.typed_array_or_null(name, napi_int32_array, count));
}

void read_features(const RequestReader& in, SearchRequest& request) {
  request.queries = read_matrix(in.object("queries"), kNoDevice);
  request.keys = read_matrix(in.object("keys"), kNoDevice);
  require(request.queries.dim == request.keys.dim, "ERR_SHAPE", "Expected queries and keys of equal dim");
  require(request.keys.rows <= INT32_MAX, "ERR_SHAPE", "Expected fewer than 2^31 keys");
}

void read_ids(const RequestReader& in, SearchRequest& request) {
  request.query_ids = read_integers(in, "queryIds", request.queries.rows);
  request.key_ids = read_integers(in, "keyIds", request.keys.rows);
  request.key_groups = read_integers(in, "keyGroups", request.keys.rows);
  require((request.query_ids != nullptr) == (request.key_ids != nullptr), "ERR_VALUE",
          "Expected queryIds and keyIds together");
}

void read_top_k(const RequestReader& in, const SearchRequest& request, TopKRequest& out) {
  const int64_t rows = request.queries.rows;
  out.k = in.integer("k");
  require(out.k >= 1 && out.k <= request.keys.rows, "ERR_VALUE", "Expected k from 1 to the number of keys");
  int64_t length = 0;
  require(!__builtin_mul_overflow(rows, out.k, &length), "ERR_SHAPE",
          "Expected a result that memory can hold");
  out.indices = static_cast<int32_t*>(in.typed_array("indices", napi_int32_array, length));
  out.scores = static_cast<float*>(in.typed_array("scores", napi_float32_array, length));
  out.limits = static_cast<const float*>(in.typed_array_or_null("limits", napi_float32_array, rows));
  for (int64_t i = 0; out.limits && i < rows; ++i)
    require(!std::isnan(out.limits[i]), "ERR_VALUE", "Expected numbers for limits");
}

void read_ranks(const RequestReader& in, const SearchRequest& request, RanksRequest& out) {
  const int64_t rows = request.queries.rows, keys = request.keys.rows;
  out.offsets = static_cast<const int32_t*>(in.typed_array("offsets", napi_int32_array, rows + 1));
  require(out.offsets[0] == 0, "ERR_VALUE", "Expected offsets from 0");
  for (int64_t i = 0; i < rows; ++i)
    require(out.offsets[i] < out.offsets[i + 1], "ERR_VALUE", "Expected a positive of each query");
  const int64_t count = out.offsets[rows];
  out.positives = static_cast<const int32_t*>(in.typed_array("positives", napi_int32_array, count));
  for (int64_t at = 0; at < count; ++at)
    if (out.positives[at] < 0 || out.positives[at] >= keys)
      throw RequestError("ERR_VALUE", "Expected a key's index below " + std::to_string(keys) +
                                          " for positives[" + std::to_string(at) + "]");
  out.optimistic = static_cast<double*>(in.typed_array("optimistic", napi_float64_array, rows));
  out.pessimistic = static_cast<double*>(in.typed_array("pessimistic", napi_float64_array, rows));
}

}  // namespace

MarshalledSearch read_search_request(const Napi::Value& value) {
  MarshalledSearch search;
  const RequestReader in(value, "", search.retained);
  search.backend = read_backend(in);
  SearchRequest& request = search.request;
  read_features(in, request);
  read_ids(in, request);
  request.wants_ranks = in.is_null("topK");
  require(request.wants_ranks != in.is_null("ranks"), "ERR_TYPE", "Expected either topK or ranks");
  if (request.wants_ranks) {
    read_ranks(in.object("ranks"), request, request.ranks);
  } else {
    read_top_k(in.object("topK"), request, request.top_k);
  }
  request.threads = check_threads(in.integer("threads"));
  request.workspace_bytes = in.integer("workspaceBytes");
  request.control.words = static_cast<int32_t*>(in.typed_array("control", napi_int32_array, Control::kWords));
  return search;
}

Napi::Object write_result(Napi::Env env, const Stats& stats) {
  Napi::Object object = Napi::Object::New(env);
  define(object, "stats", write_stats(env, stats));
  return object;
}

}  // namespace infcl::binding
