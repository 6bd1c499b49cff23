// SPDX-License-Identifier: Apache-2.0
//
// Named sync points mark the steps of each protocol. They are empty in the product; where
// SCREE_SYNC_POINTS is 1 (set by the build for every translation unit at once) a test can install a hook that is
// called at each of them, to stop a thread there and force one interleaving.

#pragma once

#if SCREE_SYNC_POINTS && SCREE_MODEL

#include <scree_model/platform.h>

// A line in the explorer's trace.
#define SCREE_SYNC_POINT(name) ::scree::model::sync_point(name)

#elif SCREE_SYNC_POINTS

#include <scree/atomic.h>

namespace scree {

using SyncPointHook = void (*)(const char* name);
inline Atomic<SyncPointHook> sync_point_hook{nullptr};

inline void sync_point(const char* name) {
  if (SyncPointHook hook = sync_point_hook.load(memory_order_acquire)) hook(name);
}

}  // namespace scree

#define SCREE_SYNC_POINT(name) ::scree::sync_point(name)
#else
#define SCREE_SYNC_POINT(name) ((void)0)
#endif
