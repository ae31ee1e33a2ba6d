// The limit that Linux control groups (cgroups) put on a process's processor time. `docker --cpus` and
// `limits.cpu` of Kubernetes set such limits. Reads versions 1 and 2, and systems that mount both.
//
// Refuses to fail: a file that is missing or cannot be parsed is no limit.
#pragma once

#include <string>

#include "cpu/processor_limits.h"

namespace infcl::cpu {

// Returns the smallest limit from the process's group up to the root of all groups. The unit is a processor:
// 1.5 is a processor and a half. `root` is the folder that contains proc and sys: "/", or a test's folder.
double cgroup_quota(const std::string& root);

}  // namespace infcl::cpu
