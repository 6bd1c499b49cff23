// SPDX-License-Identifier: Apache-2.0
//
// What the shared object of lock_shared_object_test exports.

#pragma once

#include <scree/lock.h>

extern "C" {
[[gnu::visibility("default")]] bool acquire(scree::Lock* lock);
[[gnu::visibility("default")]] void release(scree::Lock* lock);
[[gnu::visibility("default")]] bool acquire_shared(scree::Lock* lock);
[[gnu::visibility("default")]] void release_shared(scree::Lock* lock);
// Whether `count` stays as it is inside.
[[gnu::visibility("default")]] bool release_inside_a_barrier(scree::Lock* lock, const int* count);
// A coroutine: it counts when it holds the lock, and releases it.
[[gnu::visibility("default")]] void begin_to_wait(scree::Lock* lock, int* count);
[[gnu::visibility("default")]] void stop_waiting();
}
