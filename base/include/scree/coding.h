// SPDX-License-Identifier: Apache-2.0
//
// Integers as bytes: fixed width little endian, and variable width (LEB128: 7 bits a byte, low ones first, the
// high bit says that more follow). Every `get_` checks its bounds, takes what it read off the front of `*input`
// and leaves both untouched when it returns false.

#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace scree {

namespace detail {

template <typename T>
inline void store_little_endian(char* out, T value) noexcept {
  if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
    std::memcpy(out, &value, sizeof value);
  } else {
    for (std::size_t i = 0; i < sizeof value; ++i) out[i] = static_cast<char>((value >> (8 * i)) & 0xff);
  }
}

template <typename T>
inline T load_little_endian(const char* in) noexcept {
  T value = 0;
  if constexpr (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
    std::memcpy(&value, in, sizeof value);
  } else {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      value = static_cast<T>(value | (static_cast<T>(static_cast<unsigned char>(in[i])) << (8 * i)));
    }
  }
  return value;
}

template <typename T>
inline bool get_fixed(std::string_view* input, T* value) noexcept {
  if (input->size() < sizeof(T)) return false;
  *value = load_little_endian<T>(input->data());
  input->remove_prefix(sizeof(T));
  return true;
}

template <typename T>
inline void put_fixed(std::string* output, T value) {
  char bytes[sizeof value];
  store_little_endian(bytes, value);
  output->append(bytes, sizeof bytes);
}

// Accepts only what fits T: an encoding that is longer or has bits above T's width is refused.
template <typename T>
inline bool get_varint(std::string_view* input, T* value) noexcept {
  constexpr unsigned kBits = sizeof(T) * 8;
  T result = 0;
  unsigned shift = 0;
  for (std::size_t i = 0; i < input->size(); ++i, shift += 7) {
    const auto byte = static_cast<unsigned char>((*input)[i]);
    const T bits = static_cast<T>(byte & 0x7f);
    if (shift >= kBits || (shift + 7 > kBits && (bits >> (kBits - shift)) != 0)) return false;
    result = static_cast<T>(result | (bits << shift));
    if ((byte & 0x80) == 0) {
      input->remove_prefix(i + 1);
      *value = result;
      return true;
    }
  }
  return false;
}

template <typename T>
inline char* encode_varint(char* out, T value) noexcept {
  while (value >= 0x80) {
    *out++ = static_cast<char>((value & 0x7f) | 0x80);
    value = static_cast<T>(value >> 7);
  }
  *out++ = static_cast<char>(value);
  return out;
}

}  // namespace detail

inline constexpr std::size_t kMaxVarint32Bytes = 5;
inline constexpr std::size_t kMaxVarint64Bytes = 10;

inline void encode_fixed16(char* out, std::uint16_t value) noexcept { detail::store_little_endian(out, value); }
inline void encode_fixed32(char* out, std::uint32_t value) noexcept { detail::store_little_endian(out, value); }
inline void encode_fixed64(char* out, std::uint64_t value) noexcept { detail::store_little_endian(out, value); }
inline std::uint16_t decode_fixed16(const char* in) noexcept { return detail::load_little_endian<std::uint16_t>(in); }
inline std::uint32_t decode_fixed32(const char* in) noexcept { return detail::load_little_endian<std::uint32_t>(in); }
inline std::uint64_t decode_fixed64(const char* in) noexcept { return detail::load_little_endian<std::uint64_t>(in); }

inline void put_fixed16(std::string* output, std::uint16_t value) { detail::put_fixed(output, value); }
inline void put_fixed32(std::string* output, std::uint32_t value) { detail::put_fixed(output, value); }
inline void put_fixed64(std::string* output, std::uint64_t value) { detail::put_fixed(output, value); }
inline bool get_fixed16(std::string_view* input, std::uint16_t* value) noexcept {
  return detail::get_fixed(input, value);
}
inline bool get_fixed32(std::string_view* input, std::uint32_t* value) noexcept {
  return detail::get_fixed(input, value);
}
inline bool get_fixed64(std::string_view* input, std::uint64_t* value) noexcept {
  return detail::get_fixed(input, value);
}

// Write at `out`, which has room for kMaxVarint..Bytes; return the byte after the last one written.
inline char* encode_varint32(char* out, std::uint32_t value) noexcept { return detail::encode_varint(out, value); }
inline char* encode_varint64(char* out, std::uint64_t value) noexcept { return detail::encode_varint(out, value); }

inline void put_varint32(std::string* output, std::uint32_t value) {
  char bytes[kMaxVarint32Bytes];
  output->append(bytes, static_cast<std::size_t>(encode_varint32(bytes, value) - bytes));
}
inline void put_varint64(std::string* output, std::uint64_t value) {
  char bytes[kMaxVarint64Bytes];
  output->append(bytes, static_cast<std::size_t>(encode_varint64(bytes, value) - bytes));
}
inline bool get_varint32(std::string_view* input, std::uint32_t* value) noexcept {
  return detail::get_varint(input, value);
}
inline bool get_varint64(std::string_view* input, std::uint64_t* value) noexcept {
  return detail::get_varint(input, value);
}

constexpr std::size_t varint_length(std::uint64_t value) noexcept {
  std::size_t length = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++length;
  }
  return length;
}

// A string as its length (varint32) and its bytes. The decoded view points into the input.
inline void put_length_prefixed(std::string* output, std::string_view value) {
  put_varint32(output, static_cast<std::uint32_t>(value.size()));
  output->append(value);
}
inline bool get_length_prefixed(std::string_view* input, std::string_view* value) noexcept {
  std::string_view rest = *input;
  std::uint32_t length = 0;
  if (!get_varint32(&rest, &length) || rest.size() < length) return false;
  *value = rest.substr(0, length);
  rest.remove_prefix(length);
  *input = rest;
  return true;
}

}  // namespace scree
