// SPDX-License-Identifier: Apache-2.0
//
// Shared ownership under reclamation. ebr.h says what this is for.

#pragma once

#include <utility>

#include <scree/ebr_ptr.h>

namespace scree::ebr {

// An owning, counted pointer to an immutable instance (what changes in it is atomic and `mutable`). When the last owner
// goes, the instance is retired: borrowed pointers to it stay valid until their barriers end. Move-only; clone() adds
// an owner. One word; the instance and its count are one allocation. Wait-free, allocation and retirement aside.
template <class T>
class Arc {
 public:
  using Pointer = Ptr<T>;

  Arc() noexcept = default;  // null
  Arc(Arc&& other) noexcept : block_(other.take()) {}
  Arc& operator=(Arc&& other) noexcept {
    Arc(std::move(other)).swap(*this);
    return *this;
  }
  ~Arc() { let_go(); }

  // Throws what the constructor of T throws, or std::bad_alloc.
  template <class... Args>
  static Arc make(Args&&... args) {
    return Arc(new Block(std::forward<Args>(args)...));
  }

  Arc clone() const noexcept {
    if (block_ != nullptr) block_->own();
    return Arc(block_);
  }

  bool is_null() const noexcept { return block_ == nullptr; }
  explicit operator bool() const noexcept { return block_ != nullptr; }
  const T& operator*() const noexcept { return block_->value; }
  const T* operator->() const noexcept { return &block_->value; }
  const T* get() const noexcept { return block_ == nullptr ? nullptr : &block_->value; }

  // Null unless this is the only owner. No Ptr to the instance may be in use.
  T* get_mut() noexcept { return block_ != nullptr && block_->has_one_owner() ? &block_->value : nullptr; }

  // Valid until the barrier ends, also when this owner goes before.
  Ptr<T> ptr(const Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept {
    return Ptr<T>(detail::pack(block_, Tag::kNone), barrier);
  }
  Ptr<T> ptr(const Barrier&& barrier) const = delete;

  // Drops this owner; true if it was the last.
  bool release(const Barrier&) noexcept { return let_go(); }

  // Drops this owner, and destroys and frees the instance at once if it was the last; true if so. No Ptr to the
  // instance may be in use on any thread: for an instance that was never shared, or whose readers are known to be gone.
  bool release_drop_in_place() noexcept {
    Block* const block = take();
    if (block == nullptr || !block->disown()) return false;
    delete block;
    return true;
  }

  void swap(Arc& other) noexcept { std::swap(block_, other.block_); }

 private:
  template <class, class>
  friend class Ptr;
  template <class>
  friend class detail::AtomicOwner;
  using Block = detail::Counted<T>;

  explicit Arc(Block* block) noexcept : block_(block) {}

  static void drop_later(Block* block) noexcept { detail::retire({block, &Block::disown_later}, sizeof(Block)); }

  Block* take() noexcept { return std::exchange(block_, nullptr); }
  bool let_go() noexcept {
    Block* const block = take();
    if (block == nullptr || !block->disown()) return false;
    detail::retire_block(block);
    return true;
  }

  Block* block_ = nullptr;
};

// An atomic owner of an instance, with a tag.
template <class T>
class AtomicArc : public detail::AtomicOwner<Arc<T>> {
  using Base = detail::AtomicOwner<Arc<T>>;

 public:
  AtomicArc() noexcept = default;  // null
  explicit AtomicArc(Arc<T> arc) noexcept : Base(std::move(arc)) {}
  template <class... Args>
  static AtomicArc make(Args&&... args) {
    return AtomicArc(Arc<T>::make(std::forward<Args>(args)...));
  }

  // Another owner of the same instance; null if there is none. Lock-free.
  Arc<T> get_arc(std::memory_order order, const Barrier& barrier) const noexcept {
    for (;;) {
      const Ptr<T> p = this->load(order, barrier);
      if (p.is_null()) return {};
      // It fails only when the last owner is gone, thus when this no longer owns it: load again.
      if (Arc<T> arc = p.get_arc()) return arc;
    }
  }
  AtomicArc clone(std::memory_order order, const Barrier& barrier) const noexcept {
    return AtomicArc(get_arc(order, barrier));
  }

  // Takes what is owned out; leaves null without a tag. `order` is acquire or stronger where that is read or dropped.
  Arc<T> try_into_arc(std::memory_order order) noexcept { return Base::take(order); }
};

}  // namespace scree::ebr
