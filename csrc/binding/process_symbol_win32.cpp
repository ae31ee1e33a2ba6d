// Windows: node.exe exports names of another C++ compiler, whose functions return objects in another way. So
// nothing is found.
#include "binding/process_symbol.h"

namespace infcl::binding {

void* find_process_symbol(const char*) { return nullptr; }

}  // namespace infcl::binding
