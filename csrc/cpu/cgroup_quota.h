// The limit that Linux control groups (cgroups) put on a process's share of processor time: what `docker
// --cpus` and Kubernetes' `limits.cpu` set. Reads versions 1 and 2, and systems that mount both.
//
// Refuses to fail: a file that is missing or cannot be understood is no limit.
#pragma once

#include <limits>
#include <string>

namespace infcl::cpu {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// In processors: 1.5 is a processor and a half. The smallest limit from the process's group up to the root of
// all groups. `root` is the folder in which proc and sys are: "/", or that of a test.
double cgroup_quota(const std::string& root);

}  // namespace infcl::cpu
