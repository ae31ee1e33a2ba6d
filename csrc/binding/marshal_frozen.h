// Reads the frozen features beside a request's own: those of a guide and of a teacher.
#pragma once

#include "binding/request_reader.h"
#include "core/backends.h"
#include "core/request.h"

namespace infcl::binding {

// Reads them into `request`, whose own features and hard negatives have been read. Throws RequestError:
// ERR_SHAPE for shapes that do not fit, ERR_VALUE for a backend that takes none, and as read_matrix.
void read_frozen_features(const RequestReader&, BackendKind, ContrastiveRequest& request);

}  // namespace infcl::binding
