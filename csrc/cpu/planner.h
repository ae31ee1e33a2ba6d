// Makes the planner of the CPU backend.
#pragma once

#include <memory>

#include "core/plan.h"
#include "core/settings.h"

namespace infcl::cpu {

std::unique_ptr<Planner> make_planner(const Settings&);

}  // namespace infcl::cpu
