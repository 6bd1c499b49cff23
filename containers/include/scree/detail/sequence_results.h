// SPDX-License-Identifier: Apache-2.0
//
// What the conditional operations of Stack and Queue return.

#pragma once

#include <cstdint>
#include <optional>

namespace scree::detail {

// What push_if() made of its value: it is in the container, or comes back.
template <class T, class Handle>
struct PushResult {
  Handle entry;
  std::optional<T> refused;

  explicit operator bool() const noexcept { return static_cast<bool>(entry); }
};

enum class PopOutcome : std::uint8_t { kPopped, kEmpty, kRefused };

template <class Handle>
struct PopResult {
  Handle entry;
  PopOutcome outcome;

  explicit operator bool() const noexcept { return outcome == PopOutcome::kPopped; }
};

}  // namespace scree::detail
