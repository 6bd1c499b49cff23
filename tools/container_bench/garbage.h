// SPDX-License-Identifier: Apache-2.0
//
// The size of what the benchmarks of reclamation allocate and free.

#pragma once

#include <cstddef>

namespace scree::bench {

inline constexpr std::size_t kGarbageValueBytes = 32;

// With the counter that an Arc puts before its value: what a peer allocates instead.
inline constexpr std::size_t kGarbageBlockBytes = kGarbageValueBytes + sizeof(std::size_t);

}  // namespace scree::bench
