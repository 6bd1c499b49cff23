// SPDX-License-Identifier: Apache-2.0
//
// Tagged pointers under barriers: Ptr, which borrows, and what AtomicArc and AtomicOwned have in common.

#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/ebr_barrier.h>

// On a parameter whose end the result must not outlive: clang then warns of those that it can see.
#if defined(__clang__)
#define SCREE_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define SCREE_LIFETIMEBOUND
#endif

namespace scree::ebr {

// Two bits of the user's, kept in the low bits of a pointer.
enum class Tag : std::uint8_t { kNone = 0, kFirst = 1, kSecond = 2, kBoth = 3 };

namespace detail {

inline constexpr std::uintptr_t kTagMask = 3;

// What owners point to: Counted<T> or Single<T>. Aligned so that the tag has its bits.
template <class T>
inline constexpr std::size_t kBlockAlignment = alignof(T) < 8 ? 8 : alignof(T);

template <class T>
struct alignas(kBlockAlignment<T>) Counted {
  template <class... Args>
  explicit Counted(Args&&... args) : value(std::forward<Args>(args)...) {}

  bool has_one_owner() const noexcept {
    return owners.load(memory_order_acquire) / kOne == 1;  // [W1] acquire: the others' accesses come before
  }

  // By an owner.
  void own() noexcept {
    if ((owners.load(memory_order_relaxed) & kShared) == 0) owners.fetch_or(kShared, memory_order_relaxed);  // [W2]
    owners.fetch_add(kOne, memory_order_relaxed);  // [W2] this owner keeps it above 0
  }

  // By a borrower. False once the last owner is gone: the instance waits for reclamation and cannot be owned again.
  bool try_own() noexcept {
    std::size_t n = owners.load(memory_order_relaxed);
    while (n >= kOne) {
      // Relaxed: the borrower acquired the instance when it loaded its pointer.
      if (owners.compare_exchange_weak(n, (n + kOne) | kShared, memory_order_relaxed)) return true;  // [W3]
    }
    return false;
  }

  // True if this was the last owner. Release: the accesses of each owner come before what the last one, which acquires,
  // lets happen.
  bool disown() noexcept { return owners.fetch_sub(kOne, memory_order_acq_rel) / kOne == 1; }  // [W4]

  // Gives up the ownership of an owner that nobody can borrow from any more since a grace period.
  static void disown_later(void* counted) noexcept;

  static constexpr std::size_t kShared = 1;  // there has been another owner than the first
  static constexpr std::size_t kOne = 2;

  Atomic<std::size_t> owners{kOne};
  T value;
};

template <class T>
struct alignas(kBlockAlignment<T>) Single {
  template <class... Args>
  explicit Single(Args&&... args) : value(std::forward<Args>(args)...) {}

  T value;
};

template <class Block>
void retire_block(Block* block) noexcept {
  retire({block, [](void* p) { delete static_cast<Block*>(p); }}, sizeof(Block));
}

// An instance that was never shared was borrowed from this owner alone, thus before the grace period. Of another one,
// some may have been borrowed since, from owners that are gone now: if this was the last, it waits once more.
template <class T>
void Counted<T>::disown_later(void* counted) noexcept {
  auto* const block = static_cast<Counted*>(counted);
  // Relaxed: none but the first owner has ever written it, and who took it over acquired that (W6).
  if (block->owners.load(memory_order_relaxed) == kOne) {  // [W5]
    delete block;
  } else if (block->disown()) {
    retire_block(block);
  }
}

template <class Block>
std::uintptr_t pack(Block* block, Tag tag) noexcept {
  return reinterpret_cast<std::uintptr_t>(block) | static_cast<std::uintptr_t>(tag);
}
template <class Block>
Block* unpack(std::uintptr_t word) noexcept {
  return reinterpret_cast<Block*>(word & ~kTagMask);
}
inline Tag tag_of(std::uintptr_t word) noexcept { return static_cast<Tag>(word & kTagMask); }

template <class Owner>
class AtomicOwner;

}  // namespace detail

// Borrowed from an owner under a barrier, and valid until that barrier ends, on its thread. Trivially copyable; may be
// null. Constant time, wait-free. Ptr<T> is of an Arc, OwnedPtr<T> (ebr_owned.h) of an Owned.
template <class T, class Block = detail::Counted<T>>
class Ptr {
 public:
  Ptr() noexcept = default;

  bool is_null() const noexcept { return block() == nullptr; }
  explicit operator bool() const noexcept { return !is_null(); }
  // Null if this is.
  const T* as_ref() const noexcept {
    lease_.check();
    return is_null() ? nullptr : &block()->value;
  }
  // Not of a null one.
  const T& operator*() const noexcept {
    lease_.check();
    return block()->value;
  }
  const T* operator->() const noexcept { return &**this; }

  Tag tag() const noexcept { return detail::tag_of(word_); }
  void set_tag(Tag tag) noexcept { word_ = detail::pack(block(), tag); }
  Ptr with_tag(Tag tag) const noexcept {
    Ptr tagged = *this;
    tagged.set_tag(tag);
    return tagged;
  }
  Ptr without_tag() const noexcept { return with_tag(Tag::kNone); }

  // A new owner; null if this is null or the last owner is gone. Lock-free.
  Arc<T> get_arc() const noexcept requires std::is_same_v<Block, detail::Counted<T>> {
    lease_.check();
    return Arc<T>(!is_null() && block()->try_own() ? block() : nullptr);
  }

  // The same instance, or null, and the same tag.
  friend bool operator==(const Ptr& a, const Ptr& b) noexcept { return a.word_ == b.word_; }

 private:
  template <class Owner>
  friend class detail::AtomicOwner;
  template <class>
  friend class Arc;
  template <class>
  friend class Owned;

  Ptr(std::uintptr_t word, const Barrier& barrier) noexcept : word_(word), lease_(barrier) {}
  Block* block() const noexcept { return detail::unpack<Block>(word_); }

  std::uintptr_t word_ = 0;
  [[no_unique_address]] detail::Lease lease_;
};

namespace detail {

// An atomic Owner (Arc<T> or Owned<T>) with a tag. Every operation is lock-free and constant time, without contention;
// what is let go is retired, never freed at once.
template <class Owner>
class AtomicOwner {
 public:
  using Ptr = typename Owner::Pointer;

  AtomicOwner(const AtomicOwner&) = delete;
  AtomicOwner& operator=(const AtomicOwner&) = delete;

  bool is_null(std::memory_order order = memory_order_acquire) const noexcept {
    return unpack<Block>(word_.load(order)) == nullptr;
  }
  Tag tag(std::memory_order order = memory_order_acquire) const noexcept { return tag_of(word_.load(order)); }  // [W8]

  // `order` is acquire or stronger where the instance is read through the result.
  Ptr load(std::memory_order order, const Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept {
    return Ptr(word_.load(order), barrier);  // [W8]
  }
  Ptr load(std::memory_order order, const Barrier&& barrier) const = delete;

  // Puts `owner` (may be null) and `tag` in place; returns the previous owner and tag. `order` is release or stronger,
  // and acquires if the returned owner is read or dropped.
  std::pair<Owner, Tag> swap(Owner owner, Tag tag, std::memory_order order) noexcept {
    const std::uintptr_t old = word_.exchange(pack(owner.take(), tag), order);
    return {Owner(unpack<Block>(old)), tag_of(old)};
  }

  // Puts `owner` (may be null) and `tag` in place, as acquire and release; the previous owner is dropped when every
  // barrier that is held now has ended. Cheaper than dropping what swap() returns.
  void store(Owner owner, Tag tag = Tag::kNone) noexcept {
    const std::uintptr_t old = word_.exchange(pack(owner.take(), tag), memory_order_acq_rel);  // [W6]
    if (Block* const block = unpack<Block>(old)) Owner::drop_later(block);
  }

  struct Exchange {
    bool exchanged;
    Owner owner;  // exchanged: what was owned before; else: the desired owner, given back
    Ptr current;  // what is owned now, as seen by this operation
  };
  // Installs `desired` with `tag` if instance and tag are those of `expected`. Fails only if they are not. `success` as
  // the order of swap(), `failure` as that of load() for `current`.
  Exchange compare_exchange(Ptr expected, Owner desired, Tag tag, std::memory_order success, std::memory_order failure,
                            const Barrier& barrier SCREE_LIFETIMEBOUND) noexcept {
    expected.lease_.check();
    std::uintptr_t old = expected.word_;
    const std::uintptr_t word = pack(desired.block_, tag);
    if (!word_.compare_exchange_strong(old, word, success, failure)) {  // [W9]
      return {false, std::move(desired), Ptr(old, barrier)};
    }
    desired.take();
    return {true, Owner(unpack<Block>(old)), Ptr(word, barrier)};
  }
  Exchange compare_exchange(Ptr expected, Owner desired, Tag tag, std::memory_order success, std::memory_order failure,
                            const Barrier&& barrier) = delete;

  // Sets the tag while `condition(Ptr)` holds for what is owned; false once it does not. The condition may be asked
  // again and again, and may read the instance if `fetch` is acquire or stronger.
  template <class Condition>
  bool update_tag_if(Tag tag, Condition&& condition, std::memory_order set, std::memory_order fetch) {
    const Barrier barrier;
    std::uintptr_t old = word_.load(fetch);
    while (condition(Ptr(old, barrier))) {
      if (word_.compare_exchange_weak(old, pack(unpack<Block>(old), tag), set, fetch)) return true;  // [W10]
    }
    return false;
  }

 protected:
  using Block = typename Owner::Block;

  AtomicOwner() noexcept = default;
  explicit AtomicOwner(Owner owner) noexcept : word_(pack(owner.take(), Tag::kNone)) {}
  ~AtomicOwner() { Owner last(unpack<Block>(word_.load(memory_order_acquire))); }  // [W7]

  Owner take(std::memory_order order) noexcept { return swap(Owner(), Tag::kNone, order).first; }

 private:
  Atomic<std::uintptr_t> word_{0};
};

}  // namespace detail
}  // namespace scree::ebr
