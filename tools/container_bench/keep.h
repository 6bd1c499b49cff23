// SPDX-License-Identifier: Apache-2.0
//
// What stops the compiler from leaving out or merging the operations that are measured. No instruction comes of it.

#pragma once

namespace scree::bench {

// Memory may be read and written here: nothing is carried across in registers, no store is left out.
inline void keep_memory() { asm volatile("" ::: "memory"); }

// The same, and `pointer` is known to whoever does so.
inline void keep(const void* pointer) { asm volatile("" ::"r"(pointer) : "memory"); }

}  // namespace scree::bench
