// SPDX-License-Identifier: Apache-2.0
//
// EntryHandle: a share in an entry of a container, as push() and pop() return it.

#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace scree::detail {

// Keeps its entry, whatever becomes of the container and of the entry's other owner; borrowed references to the entry
// stay valid until their barriers end, also when the last handle goes. Move-only; may be null. One word.
//
// Entry has value(), and for its two owners (TwoOwners) `static void first_lets_go(Entry*) noexcept` and the same for
// the second.
template <class Entry>
class EntryHandle {
 public:
  using element_type = std::remove_reference_t<decltype(std::declval<Entry&>().value())>;

  EntryHandle() noexcept = default;  // null
  EntryHandle(EntryHandle&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  EntryHandle& operator=(EntryHandle&& other) noexcept {
    EntryHandle(std::move(other)).swap(*this);
    return *this;
  }
  // Needs the calling thread's record, as a Barrier does; a thread that has none and no memory for it ends the process.
  ~EntryHandle() { reset(); }

  explicit operator bool() const noexcept { return word_ != 0; }
  const element_type* get() const noexcept { return word_ == 0 ? nullptr : &entry()->value(); }
  const element_type& operator*() const noexcept { return entry()->value(); }
  const element_type* operator->() const noexcept { return &entry()->value(); }

  // Moves the value out, and lets go. Only if nobody else reads the entry: no other handle to it, no reference that was
  // borrowed under a barrier. Throws what moving throws; then this handle still has the entry.
  element_type take() && {
    element_type value = std::move(entry()->value());
    reset();
    return value;
  }

  void reset() noexcept {
    if (word_ == 0) return;
    Entry* const of = entry();
    if (std::exchange(word_, 0) & kSecond) {
      Entry::second_lets_go(of);
    } else {
      Entry::first_lets_go(of);
    }
  }

  void swap(EntryHandle& other) noexcept { std::swap(word_, other.word_); }

  // Takes over the share of the one who puts `entry` into a container, or of the container.
  static EntryHandle first(Entry* entry) noexcept { return EntryHandle(reinterpret_cast<std::uintptr_t>(entry)); }
  static EntryHandle second(Entry* entry) noexcept {
    return EntryHandle(reinterpret_cast<std::uintptr_t>(entry) | kSecond);
  }

 private:
  static constexpr std::uintptr_t kSecond = 1;  // whose share it is
  static_assert(alignof(Entry) > kSecond, "a bit of an entry's address is always 0");

  explicit EntryHandle(std::uintptr_t word) noexcept : word_(word) {}

  Entry* entry() const noexcept { return reinterpret_cast<Entry*>(word_ & ~kSecond); }

  std::uintptr_t word_ = 0;
};

}  // namespace scree::detail
