// A function that the process has, found by its name: the addon loads where the function is missing.
#pragma once

namespace infcl::binding {

// Null where no library of the process exports the name, and on systems that have other names for C++.
void* find_process_symbol(const char* name);

}  // namespace infcl::binding
