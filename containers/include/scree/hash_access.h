// SPDX-License-Identifier: Apache-2.0
//
// HashAccess: what a HashMap and a HashCache have in common: looking at entries and changing them under the lock of
// their bucket.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/detail/hash_core.h>
#include <scree/detail/hash_draft.h>
#include <scree/detail/hash_handles.h>
#include <scree/detail/hash_slot.h>
#include <scree/detail/hash_walk.h>
#include <scree/detail/retry_awaiter.h>
#include <scree/ebr.h>
#include <scree/hash_entry.h>

namespace scree {

// Functions that are passed in are called with the bucket locked, and must not use the container. Each operation that
// may wait has a twin for coroutines, NAME_async(): to be awaited where it is called, as it refers to its arguments,
// outside barriers (retry_awaiter.h). Operations on one key are O(1) on average, and linearizable.
template <class S>
class HashAccess {
 protected:
  using Slots = S;
  using Core = detail::HashCore<Slots>;
  using Handles = HashHandles<Core>;
  using K = typename Slots::Key;
  using V = typename Slots::Value;
  using Slot = typename Slots::Slot;
  using Place = typename Core::Place;
  using Locked = typename Core::Locked;
  using Refusal = typename Core::Refusal;
  template <class Key, class... Args>
  using Draft = detail::HashDraft<Slots, Key, Args...>;
  static constexpr auto kShared = detail::LockMode::kShared;
  static constexpr auto kExclusive = detail::LockMode::kExclusive;

 public:
  using key_type = K;
  using mapped_type = V;
  using KeyView = typename Slots::KeyView;
  using Occupied = HashOccupied<Core>;

  HashAccess(const HashAccess&) = delete;
  HashAccess& operator=(const HashAccess&) = delete;

  // Calls `f(V&)` and returns its result, or nothing if the key is absent. For an `f` that returns void: whether it was
  // called.
  template <class Q, class F>
  auto update(const Q& key, F&& f) {
    return now([&](Refusal* refusal) { return with_entry<kExclusive>(key, on_value(f), refusal); });
  }
  template <class Q, class F>
  auto update_async(const Q& key, F f) {
    return awaiter([this, &key, f = std::move(f)](const ebr::Barrier&, Refusal& refusal) mutable {
      return with_entry<kExclusive>(key, on_value(f), &refusal);
    });
  }

  // The same of `f(KeyView, const V&)`, beside others who read.
  template <class Q, class F>
  auto read(const Q& key, F&& f) const {
    return now([&](Refusal* refusal) { return with_entry<kShared>(key, on_entry(f), refusal); });
  }
  template <class Q, class F>
  auto read_async(const Q& key, F f) const {
    return awaiter([this, &key, f = std::move(f)](const ebr::Barrier&, Refusal& refusal) mutable {
      return with_entry<kShared>(key, on_entry(f), &refusal);
    });
  }

  template <class Q>
  bool contains(const Q& key) const {
    return now([&](Refusal* refusal) {
      return with_entry<kShared, false>(
          key, [](const Place&) {}, refusal);
    });
  }
  template <class Q>
  auto contains_async(const Q& key) const {
    return awaiter([this, &key](const ebr::Barrier&, Refusal& refusal) {
      return with_entry<kShared, false>(
          key, [](const Place&) {}, &refusal);
    });
  }

  // The key and the value of what was removed; nothing if the key was absent.
  template <class Q>
  std::optional<std::pair<K, V>> remove(const Q& key) {
    return remove_if(key, [](V&) { return true; });
  }
  template <class Q>
  auto remove_async(const Q& key) {
    return remove_if_async(key, [](V&) { return true; });
  }
  // The same if `condition(V&)`, in one step.
  template <class Q, class Condition>
  std::optional<std::pair<K, V>> remove_if(const Q& key, Condition&& condition) {
    const ebr::Barrier barrier;
    return *take_if(key, condition, nullptr);
  }
  template <class Q, class Condition>
  auto remove_if_async(const Q& key, Condition condition) {
    return awaiter([this, &key, condition = std::move(condition)](const ebr::Barrier&, Refusal& refusal) mutable {
      return take_if(key, condition, &refusal);
    });
  }

  // An entry that is there; else a handle that holds nothing.
  template <class Q>
  Occupied get(const Q& key) {
    return now([&](Refusal* refusal) { return Handles::get(core_, key, refusal); });
  }
  template <class Q>
  auto get_async(const Q& key) {
    return awaiter([this, &key](const ebr::Barrier&, Refusal& refusal) { return Handles::get(core_, key, &refusal); });
  }
  // Some entry, from which next() of the handle leads to each other one; nothing is held if there is none. O(buckets).
  Occupied first_entry() {
    return any_entry([](KeyView, const V&) { return true; });
  }
  auto first_entry_async() {
    return any_entry_async([](KeyView, const V&) { return true; });
  }
  // Some entry for which `accepts(KeyView, const V&)`.
  template <class Accepts>
  Occupied any_entry(Accepts&& accepts) {
    Occupied held;
    return now([&](Refusal* refusal) { return Handles::first(core_, held, accepts, refusal); });
  }
  template <class Accepts>
  auto any_entry_async(Accepts accepts) {
    return awaiter(
        [this, held = Occupied(), accepts = std::move(accepts)](const ebr::Barrier&, Refusal& refusal) mutable {
          return Handles::first(core_, held, accepts, &refusal);
        });
  }

  // Of all entries: O(n), not in one step. One bucket after the other is locked.

  // Calls `f(KeyView, const V&)` on each, beside others who read.
  template <class F>
  void scan(F&& f) const {
    visit<kShared>(never(f));
  }
  template <class F>
  auto scan_async(F f) const {
    return visit_async<kShared>(
        [f = std::move(f)](KeyView key, const V& value) mutable { return f(key, value), false; });
  }
  // Calls `f(KeyView, V&)` on each.
  template <class F>
  void for_each(F&& f) {
    visit<kExclusive>(never(f));
  }
  template <class F>
  auto for_each_async(F f) {
    return visit_async<kExclusive>([f = std::move(f)](KeyView key, V& value) mutable { return f(key, value), false; });
  }
  // Whether `accepts(KeyView, const V&)` some entry. It is asked no further then.
  template <class Accepts>
  bool any(Accepts&& accepts) const {
    return visit<kShared>(accepts);
  }
  template <class Accepts>
  auto any_async(Accepts accepts) const {
    return visit_async<kShared>(std::move(accepts));
  }
  // Removes each entry for which `keep(KeyView, V&)` is false. How many it kept, and how many went. What it throws, or
  // std::bad_alloc, is passed on; what has been removed before stays so.
  template <class Keep>
  std::pair<std::size_t, std::size_t> retain(Keep&& keep) {
    detail::HashRetaining<Core> retaining(core_);
    return detail::walk_through(
        [&](const ebr::Barrier& barrier) { return retaining.step(barrier, on_place(keep), nullptr); });
  }
  template <class Keep>
  auto retain_async(Keep keep) {
    return awaiter([retaining = detail::HashRetaining<Core>(core_), keep = std::move(keep)](const ebr::Barrier& barrier,
                                                                                            Refusal& refusal) mutable {
      return retaining.step(barrier, on_place(keep), &refusal);
    });
  }
  // The same with what `f(KeyView, V&&)` makes of each value: an optional with the value that it is to have from now
  // on, or nothing, if it is to go.
  template <class F>
  std::pair<std::size_t, std::size_t> prune(F&& f) {
    return retain(pruning(f));
  }
  template <class F>
  auto prune_async(F f) {
    return retain_async([f = std::move(f)](KeyView key, V& value) mutable { return pruning(f)(key, value); });
  }
  // How many it removed.
  std::size_t clear() {
    detail::HashClearing<Core> clearing(core_);
    return detail::walk_through([&](const ebr::Barrier& barrier) { return clearing.step(barrier, nullptr); });
  }
  auto clear_async() {
    return awaiter(
        [clearing = detail::HashClearing<Core>(core_)](const ebr::Barrier& barrier, Refusal& refusal) mutable {
          return clearing.step(barrier, &refusal);
        });
  }

  // Exact while nobody writes. O(1).
  std::size_t len() const noexcept { return core_.entries(); }
  bool is_empty() const noexcept { return len() == 0; }
  // How many slots there are.
  std::size_t capacity() const {
    const ebr::Barrier barrier;
    return core_.capacity();
  }
  // Bytes of what belongs to it, but for what keys and values own themselves. Exact while nobody writes. O(log n).
  std::size_t memory_usage() const {
    const ebr::Barrier barrier;
    return sizeof(*this) + core_.bytes();
  }

 protected:
  template <class... Args>
  explicit HashAccess(Args&&... args) : core_(std::forward<Args>(args)...) {}
  ~HashAccess() = default;

  template <class Try>
  static auto awaiter(Try attempt) {
    return detail::RetryAwaiter<Refusal, Try>(std::move(attempt));
  }
  // What may wait, on a thread.
  template <class Try>
  static auto now(Try&& attempt) {
    const ebr::Barrier barrier;
    return *attempt(nullptr);
  }

  // Functions of the user's, as functions of a place; or of key and value.
  template <class F>
  static auto on_value(F& f) {
    return [&f](const Place& place) -> decltype(auto) { return f(place.value()); };
  }
  template <class F>
  static auto on_entry(F& f) {
    return [&f](const Place& place) -> decltype(auto) { return f(Slots::key(*place), std::as_const(place.value())); };
  }
  template <class F>
  static auto on_place(F& f) {
    return [&f](const Place& place) -> bool { return f(Slots::key(*place), place.value()); };
  }
  template <class F>
  static auto never(F& f) {
    return [&f](KeyView key, auto& value) { return f(key, value), false; };
  }
  template <class F>
  static auto pruning(F& f) {
    return [&f](KeyView key, V& value) -> bool {
      std::optional<V> kept = f(key, std::move(value));
      if (kept) value = *std::move(kept);
      return kept.has_value();
    };
  }

  // Nothing if it is refused; the result of `f(place)`, or an optional of it if there is one.
  // `kTouch`: a cache is to know that it was used.
  template <detail::LockMode kMode, bool kTouch = true, class Q, class F>
  auto with_entry(const Q& key, const F& f, Refusal* refusal) const {
    using Result = std::invoke_result_t<F, const Place&>;
    using Optional = std::conditional_t<std::is_void_v<Result>, bool, std::optional<std::decay_t<Result>>>;
    const auto& sought = Core::lookup(key);
    const std::uint64_t hash = core_.hash_of(sought);
    const Locked held(core_, hash, refusal, kMode);
    if (!*held) return std::optional<Optional>();
    const Place place = core_.find_held(*held, sought, hash);
    if constexpr (kTouch) {
      if (place) Core::touch(*held, place);
    }
    std::optional<Optional> result(std::in_place);
    if constexpr (std::is_void_v<Result>) {
      if (place) f(place);
      *result = static_cast<bool>(place);
    } else {
      if (place) result->emplace(f(place));
    }
    return result;
  }

  template <class Q, class Condition>
  std::optional<std::optional<std::pair<K, V>>> take_if(const Q& key, Condition& condition, Refusal* refusal) {
    std::optional<std::optional<std::pair<K, V>>> result;
    std::optional<Occupied> held = Handles::get(core_, key, refusal);
    if (!held) return result;
    result.emplace();
    if (held->is_occupied() && condition(held->value())) result->emplace(held->remove());
    return result;
  }
  template <detail::LockMode kMode, class Accepts>
  auto on_shown(Accepts& accepts) const {
    if constexpr (kMode == kShared) {
      return on_entry(accepts);
    } else {
      return on_place(accepts);
    }
  }
  template <detail::LockMode kMode, class Accepts>
  bool visit(Accepts&& accepts) const {
    detail::HashVisiting<Core> visiting(core_);
    return detail::walk_through(
        [&](const ebr::Barrier&) { return visiting.step(kMode, on_shown<kMode>(accepts), nullptr); });
  }
  template <detail::LockMode kMode, class Accepts>
  auto visit_async(Accepts accepts) const {
    return awaiter([this, visiting = detail::HashVisiting<Core>(core_), accepts = std::move(accepts)](
                       const ebr::Barrier&, Refusal& refusal) mutable {
      return visiting.step(kMode, on_shown<kMode>(accepts), &refusal);
    });
  }

  mutable Core core_;  // readers take locks
};

}  // namespace scree
