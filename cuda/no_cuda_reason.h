// Why a build has no CUDA backend, and what the user can do. The reason depends on the system, so each system
// has a file of its own, and sources.cmake chooses the file.
#pragma once

namespace infcl {

extern const char kNoCudaReason[];

}  // namespace infcl
