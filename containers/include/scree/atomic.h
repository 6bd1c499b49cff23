// SPDX-License-Identifier: Apache-2.0
//
// Every atomic of the containers and of what stands on them comes through this header, so that a test
// build can put all of them under a scheduler. In the product they are the standard ones.

#pragma once

#include <atomic>

#if defined(__SANITIZE_THREAD__)
#define SCREE_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SCREE_UNDER_TSAN 1
#endif
#endif
#ifndef SCREE_UNDER_TSAN
#define SCREE_UNDER_TSAN 0
#endif

namespace scree {

template <class T>
using Atomic = std::atomic<T>;

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

}  // namespace scree
