// Takes PTX out of fatbins, so that the emulator executes the bytes that a build ships.
#pragma once

#include <functional>
#include <string>

namespace infcl::emulator {

// The PTX of the fatbin at `data` that is for the latest target of those that `runs_here` accepts, such as
// "sm_90a". Empty where there is none. Throws std::runtime_error where the fatbin is damaged, or its PTX is
// packed by LZ4.
std::string ptx_of_fatbin(const void* data, const std::function<bool(const std::string& target)>& runs_here);

}  // namespace infcl::emulator
