#include "binding/marshal_guide.h"

#include <string>

#include "binding/failure.h"
#include "binding/request_parts.h"

namespace infcl::binding {

namespace {

// A matrix of the host, of so many rows and features.
MatrixView read_rows(const RequestReader& in, const char* name, int64_t rows, int64_t dim) {
  const MatrixView matrix = read_matrix(in.object(name), kNoDevice);
  if (matrix.rows != rows || (dim > 0 && matrix.dim != dim))
    throw RequestError("ERR_SHAPE", std::string("Expected as many rows as features, of one dim, for guide.") + name);
  return matrix;
}

}  // namespace

void read_guide(const RequestReader& in, BackendKind backend, ContrastiveRequest& request) {
  if (in.is_null("guide")) return;
  if (has_devices(backend)) throw RequestError("ERR_VALUE", "Expected no guide for this backend");
  const RequestReader given = in.object("guide");
  Guide& guide = request.guide;
  guide.queries = read_rows(given, "queries", request.queries.rows, 0);
  guide.keys = read_rows(given, "keys", request.keys.rows, guide.queries.dim);
  if (!given.is_null("hardNegatives"))
    guide.hard_negatives =
        read_rows(given, "hardNegatives", request.hard_negatives.rows, guide.queries.dim);
  guide.margin = given.number("margin");
  guide.relative = given.boolean("relative");
}

}  // namespace infcl::binding
