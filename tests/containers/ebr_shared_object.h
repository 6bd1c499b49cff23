// SPDX-License-Identifier: Apache-2.0
//
// What the shared object of ebr_shared_object_test exports.

#pragma once

#include <cstdint>

extern "C" {
[[gnu::visibility("default")]] void enter_barrier();
[[gnu::visibility("default")]] void exit_barrier();
[[gnu::visibility("default")]] void retire_counted(int* alive);
[[gnu::visibility("default")]] bool collect_garbage();
[[gnu::visibility("default")]] std::uint64_t pending_objects();
[[gnu::visibility("default")]] const void* arena();
}
