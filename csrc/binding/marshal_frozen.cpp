#include "binding/marshal_frozen.h"

#include <string>

#include "binding/failure.h"
#include "binding/request_parts.h"

namespace infcl::binding {

namespace {

// A matrix of the host, of so many rows. `dim`: 0 for any.
MatrixView read_rows(const RequestReader& in, const char* name, int64_t rows, int64_t dim) {
  const MatrixView matrix = read_matrix(in.object(name), kNoDevice);
  if (matrix.rows != rows || (dim > 0 && matrix.dim != dim))
    throw RequestError("ERR_SHAPE", std::string("Expected ") + std::to_string(rows) +
                                        " rows, of one dim, for the frozen " + name);
  return matrix;
}

void read_guide(const RequestReader& in, ContrastiveRequest& request) {
  Guide& guide = request.guide;
  guide.queries = read_rows(in, "queries", request.queries.rows, 0);
  guide.keys = read_rows(in, "keys", request.keys.rows, guide.queries.dim);
  if (!in.is_null("hardNegatives"))
    guide.hard_negatives = read_rows(in, "hardNegatives", request.hard_negatives.rows, guide.queries.dim);
  guide.margin = in.number("margin");
  guide.relative = in.boolean("relative");
}

void read_teacher(const RequestReader& in, ContrastiveRequest& request) {
  Teacher& teacher = request.teacher;
  teacher.queries = read_rows(in, "queries", request.queries.rows, 0);
  teacher.keys = read_rows(in, "keys", request.keys.rows, teacher.queries.dim);
  teacher.logit_scale = in.number("logitScale");
  teacher.weight = in.number("weight");
}

}  // namespace

void read_frozen_features(const RequestReader& in, BackendKind backend, ContrastiveRequest& request) {
  const bool guided = !in.is_null("guide"), taught = !in.is_null("teacher");
  if ((guided || taught) && has_devices(backend))
    throw RequestError("ERR_VALUE", "Expected neither guide nor teacher for this backend");
  if (guided) read_guide(in.object("guide"), request);
  if (taught) read_teacher(in.object("teacher"), request);
}

}  // namespace infcl::binding
