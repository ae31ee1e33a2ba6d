// What the emulator exports beyond the driver API, for tests. Found by dlsym, like the rest.
#pragma once

#include <cstddef>

extern "C" {
// {"launches": [{"kernel": ..., "mma": ..., ...}]}, of all launches since the last reset; valid until the
// next call of this thread.
const char* infcl_emulator_stats();
void infcl_emulator_reset_stats();
// One line for each record of an event and each wait for one since the last reset: "record 0x.. on 0x..",
// "wait for 0x.. on 0x.." (event, stream); valid until the next call of this thread.
const char* infcl_emulator_event_log();
// The same, and one line for all else that the host gave streams or waited for, in its order: "launch NAME on
// 0x..", "copy in BYTES on 0x..", "copy out ..", "copy within ..", "clear BYTES on 0x.." and, of the host,
// "await 0x.. on 0x.." (event, stream) and "await all on 0x..".
const char* infcl_emulator_work_log();
// The most that was allocated of the first device at a time since the last reset.
size_t infcl_emulator_peak_bytes();
// From now on the allocation at this address belongs to another context of its device.
void infcl_emulator_make_foreign(unsigned long long address);
// The message of the last failure (fault of a kernel, refused PTX or argument); "" if there was none.
const char* infcl_emulator_last_error();
// What was not given back: device allocations; pinned host allocations, streams, events, modules and
// contexts retained.
size_t infcl_emulator_live_allocations();
size_t infcl_emulator_live_objects();
// Forgets faults and objects: as a fresh process.
void infcl_emulator_reset();
}
