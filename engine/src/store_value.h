// SPDX-License-Identifier: Apache-2.0
//
// The header before each value in a table, as in engine/FORMAT.md, section "Values in tables".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <scree/coding.h>

namespace scree::detail {

inline constexpr std::uint8_t kValueHasExpiry = 0x01;
inline constexpr std::uint8_t kKnownValueFlags = kValueHasExpiry;

inline void append_value_header(std::string* out, std::uint64_t sequence) {
  out->push_back(0);
  put_varint64(out, sequence);
}

// Takes the header off the front of `*stored`; false if it does not parse.
inline bool take_value_header(std::string_view* stored, std::uint64_t* sequence) {
  if (stored->empty()) return false;
  const auto flags = static_cast<std::uint8_t>(stored->front());
  if ((flags & ~kKnownValueFlags) != 0) return false;
  stored->remove_prefix(1);
  if (!get_varint64(stored, sequence)) return false;
  std::uint64_t expiry = 0;
  return (flags & kValueHasExpiry) == 0 || get_varint64(stored, &expiry);
}

}  // namespace scree::detail
