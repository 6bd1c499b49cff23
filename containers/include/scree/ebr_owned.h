// SPDX-License-Identifier: Apache-2.0
//
// Sole ownership under reclamation: as Arc and AtomicArc, without a count, for instances that never have two owners.

#pragma once

#include <utility>

#include <scree/ebr_ptr.h>

namespace scree::ebr {

// Borrowed from an Owned or AtomicOwned.
template <class T>
using OwnedPtr = Ptr<T, detail::Single<T>>;

// The only owner of an instance, which is retired when it goes: borrowed pointers to it stay valid until their barriers
// end. Move-only; one word, and the instance is one allocation of its own size.
template <class T>
class Owned {
 public:
  using Pointer = OwnedPtr<T>;

  Owned() noexcept = default;  // null
  Owned(Owned&& other) noexcept : block_(other.take()) {}
  Owned& operator=(Owned&& other) noexcept {
    Owned(std::move(other)).swap(*this);
    return *this;
  }
  ~Owned() {
    if (Block* const block = take()) drop_later(block);
  }

  // Throws what the constructor of T throws, or std::bad_alloc.
  template <class... Args>
  static Owned make(Args&&... args) {
    return Owned(new Block(std::forward<Args>(args)...));
  }

  bool is_null() const noexcept { return block_ == nullptr; }
  explicit operator bool() const noexcept { return block_ != nullptr; }
  const T& operator*() const noexcept { return block_->value; }
  const T* operator->() const noexcept { return &block_->value; }
  const T* get() const noexcept { return block_ == nullptr ? nullptr : &block_->value; }

  // No Ptr to the instance may be in use.
  T* get_mut() noexcept { return block_ == nullptr ? nullptr : &block_->value; }

  // Valid until the barrier ends, also when this owner goes before.
  OwnedPtr<T> ptr(const Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept {
    return OwnedPtr<T>(detail::pack(block_, Tag::kNone), barrier);
  }
  OwnedPtr<T> ptr(const Barrier&& barrier) const = delete;

  // Destroys and frees the instance at once. No Ptr to it may be in use on any thread.
  void drop_in_place() noexcept { delete take(); }

  void swap(Owned& other) noexcept { std::swap(block_, other.block_); }

 private:
  template <class>
  friend class detail::AtomicOwner;
  using Block = detail::Single<T>;

  explicit Owned(Block* block) noexcept : block_(block) {}

  static void drop_later(Block* block) noexcept { detail::retire_block(block); }

  Block* take() noexcept { return std::exchange(block_, nullptr); }

  Block* block_ = nullptr;
};

// An atomic sole owner of an instance, with a tag.
template <class T>
class AtomicOwned : public detail::AtomicOwner<Owned<T>> {
  using Base = detail::AtomicOwner<Owned<T>>;

 public:
  AtomicOwned() noexcept = default;  // null
  explicit AtomicOwned(Owned<T> owned) noexcept : Base(std::move(owned)) {}
  template <class... Args>
  static AtomicOwned make(Args&&... args) {
    return AtomicOwned(Owned<T>::make(std::forward<Args>(args)...));
  }

  // Takes what is owned out; leaves null without a tag. `order` is acquire or stronger where that is read or dropped.
  Owned<T> try_into_owned(std::memory_order order) noexcept { return Base::take(order); }
};

}  // namespace scree::ebr
