// SPDX-License-Identifier: Apache-2.0
//
// What checked builds (SCREE_CHECKED is 1 in every translation unit: the build sets it) do about a broken precondition.

#pragma once

#if SCREE_CHECKED

#include <cstdio>
#include <cstdlib>

namespace scree::detail {

[[noreturn, gnu::cold]] inline void misused(const char* what) noexcept {
  std::fprintf(stderr, "scree: %s\n", what);
  std::abort();
}

}  // namespace scree::detail

#endif
