// SPDX-License-Identifier: Apache-2.0
//
// How all entries of a hash container are come by, bucket by bucket in the order of hashes. A place in between is a
// hash: what is below has been visited, in whichever table it is now. So an entry that is present throughout is met
// exactly once, across resizes.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <scree/detail/hash_core.h>
#include <scree/ebr.h>

namespace scree::detail {

// Calls `f(slot)` for entries whose hashes are `from` or above and begin as `from` does in the table that is in force
// there; returns where the next ones begin, 0 if there are none. Takes no lock. Under a barrier, if no lock is held.
template <class Core, class F>
std::uint64_t visit_bucket(const Core& core, std::uint64_t from, const F& f) {
  using Slot = typename Core::Slot;
  const auto [table, bucket, state] = core.look(from);
  // Where a larger bucket has come in the place of several, some of which were visited.
  const bool whole = table->begin_of(bucket) == from;
  table->visit(
      bucket, state, [&](const Slot& a, const Slot& b) { return core.is_same_key(a, b); },
      [&](const Slot& slot) {
        if (whole || core.hash_of_slot(slot) >= from) f(slot);
      });
  return bucket + 1 == table->buckets() ? 0 : table->begin_of(bucket + 1);
}

// The same with the bucket locked: calls `f(held, place)`, which may take the entry out, or return true for the rest of
// the bucket to be left out. Nothing if it is refused. Under a barrier.
template <class Core, class F>
std::optional<std::uint64_t> walk_bucket(Core& core, std::uint64_t from, LockMode mode, typename Core::Refusal* refusal,
                                         F&& f) {
  const typename Core::Locked held(core, from, refusal, mode);
  if (!*held) return std::nullopt;
  const bool whole = (*held).table->begin_of((*held).bucket) == from;
  for (auto place = (*held).first(); place; place = (*held).following(place)) {
    if ((whole || core.hash_of_slot(*place) >= from) && f(*held, place)) break;
  }
  return (*held).end_of_hashes();
}

// What a walk has taken out of a bucket, to be disposed of when that is not locked any more: destructors may use the
// container.
template <class Core>
class HashRemovals {
 public:
  using Slot = typename Core::Slot;

  HashRemovals(Core& core, const ebr::Barrier& barrier) noexcept : core_(core), barrier_(barrier) {}
  ~HashRemovals() {
    for (const Slot& slot : slots_) {
      core_.removed(slot, &slot == &slots_.back());
      Core::dispose(slot, barrier_);
    }
  }
  HashRemovals(const HashRemovals&) = delete;
  HashRemovals& operator=(const HashRemovals&) = delete;

  // Throws std::bad_alloc, with nothing changed.
  void remove(const typename Core::Held& held, const typename Core::Place& place) {
    slots_.push_back(*place);
    core_.remove(held, place);
  }
  std::size_t count() const noexcept { return slots_.size(); }

 private:
  Core& core_;
  const ebr::Barrier& barrier_;
  std::vector<Slot> slots_;
};

// Walks through a whole container, in steps of a bucket. A step returns nothing if there is more to do, under another
// barrier; or if it was refused.

// Calls `step(barrier)` until it returns something.
template <class Step>
auto walk_through(Step&& step) {
  for (;;) {
    const ebr::Barrier barrier;
    if (auto result = step(barrier)) return *std::move(result);
  }
}

// Shows every entry, until one is accepted: then the result is true.
template <class Core>
class HashVisiting {
 public:
  explicit HashVisiting(Core& core) noexcept : core_(&core) {}

  template <class Accepts>
  std::optional<bool> step(LockMode mode, const Accepts& accepts, typename Core::Refusal* refusal) {
    bool accepted = false;
    const auto next = walk_bucket(*core_, from_, mode, refusal,
                                  [&](const auto&, const auto& place) { return accepted = accepts(place); });
    if (!next) return std::nullopt;
    from_ = *next;
    if (accepted) return true;
    return from_ == 0 ? std::optional(false) : std::nullopt;
  }

 private:
  Core* core_;
  std::uint64_t from_ = 0;
};

// Removes each entry that is not to be kept. The result: how many were, and how many not.
template <class Core>
class HashRetaining {
 public:
  explicit HashRetaining(Core& core) noexcept : core_(&core) {}

  template <class Keeps>
  std::optional<std::pair<std::size_t, std::size_t>> step(const ebr::Barrier& barrier, const Keeps& keeps,
                                                          typename Core::Refusal* refusal) {
    HashRemovals<Core> gone(*core_, barrier);
    const auto next =
        walk_bucket(*core_, from_, LockMode::kExclusive, refusal, [&](const auto& held, const auto& place) {
          if (keeps(place)) {
            ++kept_;
          } else {
            gone.remove(held, place);
          }
          return false;
        });
    if (!next) return std::nullopt;
    removed_ += gone.count();
    from_ = *next;
    return from_ == 0 ? std::optional(std::pair(kept_, removed_)) : std::nullopt;
  }

 private:
  Core* core_;
  std::uint64_t from_ = 0;
  std::size_t kept_ = 0, removed_ = 0;
};

// Removes every entry, without memory of its own. The result: how many.
template <class Core>
class HashClearing {
 public:
  explicit HashClearing(Core& core) noexcept : core_(&core) {}

  // Throws what the hash of an entry in a slot throws; what has been removed before stays so.
  std::optional<std::size_t> step(const ebr::Barrier& barrier, typename Core::Refusal* refusal) {
    Gone gone(*core_, barrier);
    bool more = false;
    const auto next =
        walk_bucket(*core_, from_, LockMode::kExclusive, refusal, [&](const auto& held, const auto& place) {
          more = gone.count == gone.slots.size();
          if (more) return true;
          gone.slots[gone.count++] = *place;
          core_->remove(held, place);
          ++removed_;
          return false;
        });
    if (!next) return std::nullopt;
    if (!more) from_ = *next;
    return !more && from_ == 0 ? std::optional(removed_) : std::nullopt;
  }

 private:
  // Disposed of when the bucket is not locked any more.
  struct Gone {
    Gone(Core& of, const ebr::Barrier& under) noexcept : core(of), barrier(under) {}
    Gone(const Gone&) = delete;
    Gone& operator=(const Gone&) = delete;
    ~Gone() {
      for (std::size_t n = 0; n < count; ++n) {
        core.removed(slots[n], n + 1 == count);
        Core::dispose(slots[n], barrier);
      }
    }

    Core& core;
    const ebr::Barrier& barrier;
    std::array<typename Core::Slot, 16> slots;
    std::size_t count = 0;
  };

  Core* core_;
  std::uint64_t from_ = 0;
  std::size_t removed_ = 0;
};

}  // namespace scree::detail
