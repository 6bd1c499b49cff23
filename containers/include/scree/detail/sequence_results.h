// SPDX-License-Identifier: Apache-2.0
//
// What the conditional operations of Stack and Queue return, and how their values come back.

#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

namespace scree::detail {

// What push_if() made of its value: it is in the container, or comes back.
template <class T, class Handle>
struct PushResult {
  Handle entry;
  std::optional<T> refused;

  explicit operator bool() const noexcept { return static_cast<bool>(entry); }
};

// Whether push_if() moves a value back to its caller's if it fails after it has moved it: if that cannot fail, and has
// an effect.
template <class T>
inline constexpr bool kMovesBack = std::is_nothrow_move_assignable_v<T> && !std::is_trivially_move_constructible_v<T>;

enum class PopOutcome : std::uint8_t { kPopped, kEmpty, kRefused };

template <class Handle>
struct PopResult {
  Handle entry;
  PopOutcome outcome;

  explicit operator bool() const noexcept { return outcome == PopOutcome::kPopped; }
};

}  // namespace scree::detail
