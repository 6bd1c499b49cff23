// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace scree {

enum class BoundKind : std::uint8_t { kUnbounded, kIncluded, kExcluded };

// One end of a range of keys.
template <class Q>
struct Bound {
  BoundKind kind;
  Q key;
};
struct Unbounded {};

inline constexpr Unbounded unbounded{};

template <class Q>
Bound<std::decay_t<Q>> included(Q&& key) {
  return {BoundKind::kIncluded, std::forward<Q>(key)};
}
template <class Q>
Bound<std::decay_t<Q>> excluded(Q&& key) {
  return {BoundKind::kExcluded, std::forward<Q>(key)};
}

}  // namespace scree
