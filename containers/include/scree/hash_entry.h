// SPDX-License-Identifier: Apache-2.0
//
// Entries of hash containers that are held: nobody else changes them, nor anything else in their bucket, of a dozen
// entries, as long as the handle lives. Handles are moved, not copied; one may be let go on another thread than it was
// obtained on.
//
// A thread that holds one must not call what waits for a bucket of the same container: it might wait for itself.
// Checked builds end the program with a message.

#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <scree/detail/hash_core.h>
#include <scree/detail/hash_draft.h>
#include <scree/detail/retry_awaiter.h>
#include <scree/ebr.h>

namespace scree {

// An entry that is there; or, when it has been let go, nothing.
template <class Core>
class HashOccupied {
 protected:
  using Slots = typename Core::Slots;
  using Slot = typename Slots::Slot;
  using Held = typename Core::Held;
  using Place = typename Core::Place;
  using Refusal = typename Core::Refusal;
  using K = typename Slots::Key;
  using V = typename Slots::Value;

 public:
  using value_reference = std::conditional_t<Slots::kReadersLock, V&, const V&>;

  HashOccupied() noexcept = default;
  HashOccupied(HashOccupied&& other) noexcept { swap(other); }
  HashOccupied& operator=(HashOccupied&& other) noexcept {
    release();
    swap(other);
    return *this;
  }
  ~HashOccupied() { release(); }

  bool is_occupied() const noexcept { return static_cast<bool>(place_); }
  explicit operator bool() const noexcept { return is_occupied(); }

  // Require is_occupied(). Valid as long as it is held, and for a HashIndex under a barrier as long as that lasts.
  typename Slots::KeyView key() const noexcept {
    assert(is_occupied());
    return Slots::key(*place_);
  }
  value_reference value() const noexcept {
    assert(is_occupied());
    return place_.value();
  }

  // Removes the entry, and lets the bucket go. Of a HashMap: the key and the value. Requires is_occupied(). Throws what
  // their move constructors throw, with the entry still there.
  auto remove() {
    assert(is_occupied());
    const ebr::Barrier barrier;
    if constexpr (Slots::kReadersLock) {
      auto result = Slots::take(*place_.slot);
      end(barrier, take_out());
      return result;
    } else {
      end(barrier, take_out());
    }
  }
  // Puts a new entry in its place, and lets the bucket go; readers keep the old one. Requires is_occupied(). Strong
  // exception guarantee.
  template <class Value>
  void replace(Value&& value) requires(!Slots::kReadersLock) {
    assert(is_occupied());
    const ebr::Barrier barrier;
    const std::uint64_t hash = core_->hash_of_slot(*place_);
    const Slot old = *place_;
    typename Slots::KeyView same_key = Slots::key(old);
    detail::HashDraft<Slots, typename Slots::KeyView&, Value> draft(same_key, std::forward<Value>(value));
    const Slot slot = draft.make(core_->memory(), hash);
    const bool overflowed = core_->replace(held_, place_, hash, slot);
    draft.published();
    let_go();
    core_->added(slot, old, overflowed);
    Core::dispose(old, barrier);
  }

  // Goes on to another entry of the container, which is then held instead: so each one that is present throughout is
  // met exactly once, from the container's first_entry() on. False, and nothing is held, at the end. May wait.
  bool next() {
    assert(is_occupied());
    const ebr::Barrier barrier;
    return *first(nullptr);
  }
  // The same for coroutines, which are not to look at it meanwhile.
  auto next_async() {
    assert(is_occupied());
    auto attempt = [this](const ebr::Barrier&, Refusal& refusal) { return first(&refusal); };
    return detail::RetryAwaiter<Refusal, decltype(attempt)>(std::move(attempt));
  }

  // Lets it go.
  void release() noexcept {
    if (!held_) return;
    let_go();
    if (std::exchange(added_, false)) core_->settle_soon(std::exchange(overflowed_, false));
  }

 protected:
  // Holds the bucket from now on, and the entry there, if there is one.
  HashOccupied(Core& core, const Held& held) noexcept : core_(&core), held_(held) {}
  // Holds the one behind `place_`, else the first from `from_` on. Under a barrier; nothing if it is refused.
  std::optional<bool> first(Refusal* refusal) {
    for (;;) {
      if (!held_ && !(held_ = core_->hold(from_, refusal))) return std::nullopt;
      const bool whole = held_.table->begin_of(held_.bucket) >= from_;
      do place_ = place_ ? held_.following(place_) : held_.first();
      while (place_ && !whole && core_->hash_of_slot(*place_) < from_);
      if (place_) return true;
      from_ = held_.end_of_hashes();
      release();
      if (from_ == 0) return false;
    }
  }

  Core* core_ = nullptr;
  Held held_{};
  Place place_{};
  std::uint64_t from_ = 0;   // of an iteration: what is below has been met
  bool added_ = false;       // an entry
  bool overflowed_ = false;  // where its bucket was full

 private:
  template <class>
  friend class HashHandles;

  std::pair<Slot, bool> take_out() noexcept {
    const Slot gone = *place_;
    const bool emptied = core_->remove(held_, place_);
    let_go();
    return {gone, emptied};
  }
  void end(const ebr::Barrier& barrier, const std::pair<Slot, bool>& gone) noexcept {
    core_->removed(gone.first, gone.second);
    Core::dispose(gone.first, barrier);
  }
  void let_go() noexcept {
    Core::release(std::exchange(held_, Held()));
    place_ = Place();
  }
  void swap(HashOccupied& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(held_, other.held_);
    std::swap(place_, other.place_);
    std::swap(from_, other.from_);
    std::swap(added_, other.added_);
    std::swap(overflowed_, other.overflowed_);
  }
};

// A key's place, whether there is an entry or none.
template <class Core, class Key>
class HashEntry : public HashOccupied<Core> {
  using Base = HashOccupied<Core>;
  using typename Base::K;
  using typename Base::Slots;
  using typename Base::V;
  // A reference, or a view of a byte string, of what was given as an lvalue; else it has the key.
  using Stored = std::conditional_t<
      std::is_same_v<K, std::string>,
      std::conditional_t<std::is_same_v<Key, std::string>, std::string, std::string_view>,
      std::conditional_t<std::is_reference_v<Key> && std::is_same_v<std::remove_cvref_t<Key>, K>, Key, K>>;

 public:
  using typename Base::value_reference;

  // The value; where there is none, that of an entry constructed from `args`. Not when it has been let go. Strong
  // exception guarantee.
  template <class... Args>
  value_reference or_insert(Args&&... args) {
    if (!this->place_) put(std::forward<Args>(args)...);
    return this->value();
  }
  // The same of `make()`.
  template <class F>
  value_reference or_insert_with(F&& make) {
    if (!this->place_) put(std::forward<F>(make)());
    return this->value();
  }
  // Calls `f(value)` where there is one.
  template <class F>
  HashEntry& and_modify(F&& f) requires(Slots::kReadersLock) {
    if (this->place_) std::forward<F>(f)(this->value());
    return *this;
  }

 private:
  template <class>
  friend class HashHandles;

  template <class... Args>
  void put(Args&&... args) {
    assert(this->held_);
    const ebr::Barrier barrier;
    detail::HashDraft<Slots, Stored, Args...> draft(static_cast<Stored&&>(key_), std::forward<Args>(args)...);
    const auto slot = draft.make(this->core_->memory(), hash_);
    this->place_ = this->core_->put(this->held_, hash_, slot);
    draft.published();
    this->core_->count_added(slot, std::nullopt);
    this->added_ = true;
    this->overflowed_ = this->place_.group != 0;
  }

  HashEntry(std::remove_reference_t<Key>& key, std::uint64_t hash)
      : key_(static_cast<Stored>(static_cast<Key&&>(key))), hash_(hash) {}

  Stored key_;
  std::uint64_t hash_;
};

}  // namespace scree
