// SPDX-License-Identifier: Apache-2.0
//
// Bytes: the type of values that are byte strings of any length, for an index to keep in one block of memory with the
// key.
//
//   TreeIndex<std::string, Bytes> index;
//   index.insert("key", "value");
//   index.read("key", [](std::string_view key, std::string_view value) { … });

#pragma once

#include <string_view>
#include <type_traits>

namespace scree {

// A name only: such a value is put in as whatever converts to std::string_view, and shown as one. At most 4 GiB - 1
// bytes, and keys that are byte strings 2 GiB - 1: longer ones are refused with std::length_error.
struct Bytes {
  Bytes() = delete;
};

namespace detail {

// What an index shows of a value of type V.
template <class V>
using value_view_t = std::conditional_t<std::is_same_v<V, Bytes>, std::string_view, const V&>;

}  // namespace detail

}  // namespace scree
