// SPDX-License-Identifier: Apache-2.0
//
// What the model's Atomic, Plain and fences call: the explorer's engine as these templates see it. A value travels as
// Bits, so that the engine needs no templates.

#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace scree::model::hooks {

// Whether the caller is the program of an execution. Outside of one, and inside the engine, an Atomic is an ordinary
// variable.
inline bool active = false;

struct Bits {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const Bits&, const Bits&) = default;
};

template <class T>
Bits to_bits(T value) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(Bits));
  __builtin_clear_padding(&value);
  Bits bits;
  std::memcpy(static_cast<void*>(&bits), &value, sizeof(T));
  return bits;
}

template <class T>
T from_bits(const Bits& bits) noexcept {
  std::array<unsigned char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &bits, sizeof(T));
  return std::bit_cast<T>(bytes);
}

// Where in the source an operation stands.
struct Site {
  const char* file;
  int line;
};

// An atomic variable; `stored` is what it holds where no execution has touched it yet.
struct Object {
  const void* address;
  Bits stored;
  std::uint8_t size;
};

using Modify = Bits (*)(const Bits& old, const Bits& operand);

void construct_atomic(const Object& object) noexcept;
void destroy(const void* address) noexcept;
Bits load(const Object& object, std::memory_order order, Site site) noexcept;
void store(const Object& object, const Bits& value, std::memory_order order, Site site) noexcept;
Bits modify(const Object& object, Modify function, const Bits& operand, std::memory_order order, Site site,
            const char* what) noexcept;
bool compare_exchange(const Object& object, Bits& expected, const Bits& desired, std::memory_order success,
                      std::memory_order failure, bool weak, Site site) noexcept;
void wait(const Object& object, const Bits& old, std::memory_order order, Site site) noexcept;
void notify(const Object& object, bool all, Site site) noexcept;
void fence(std::memory_order order, Site site) noexcept;
void compiler_fence(Site site) noexcept;

// Operators have no room for a defaulted Site: the engine takes the return address instead.
[[gnu::noinline]] void construct_plain(const void* address) noexcept;
[[gnu::noinline]] void read_plain(const void* address) noexcept;
[[gnu::noinline]] void write_plain(const void* address) noexcept;

}  // namespace scree::model::hooks
