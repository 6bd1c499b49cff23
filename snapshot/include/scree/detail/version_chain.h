// SPDX-License-Identifier: Apache-2.0
//
// The versions of one key, newest first. Protocol: docs/protocols/snapshot.md, invariants V1-V4.

#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <scree/atomic.h>
#include <scree/commit_clock.h>
#include <scree/detail/entry.h>
#include <scree/ebr.h>

namespace scree::detail {

// What an allocator keeps beside an allocation, about.
inline constexpr std::size_t kAllocationBytes = 16;

// One value of a key, or its absence (a tombstone). Immutable once linked but for `next`.
template <class V>
class Version {
 public:
  using value_view = const V&;

  template <class... Args>
  static Version* make(Args&&... args) {
    return new Version(std::in_place, std::forward<Args>(args)...);
  }
  static Version* make_tombstone() { return new Version; }
  static void destroy(void* version) noexcept { delete static_cast<Version*>(version); }

  bool is_tombstone() const noexcept { return !value_; }
  const V& value() const noexcept { return *value_; }
  std::size_t bytes() const noexcept { return sizeof(Version) + kAllocationBytes; }

  Sequence sequence = 0;
  Atomic<Version*> next{nullptr};

 private:
  Version() = default;
  template <class... Args>
  explicit Version(std::in_place_t, Args&&... args) : value_(std::in_place, std::forward<Args>(args)...) {}
  std::optional<V> value_;
};

// Byte strings lie behind the version in the same allocation.
template <>
class Version<std::string> {
 public:
  using value_view = std::string_view;

  static Version* make(std::string_view value) {
    void* memory = ::operator new(sizeof(Version) + value.size());
    auto* version = new (memory) Version(value.size());
    if (!value.empty()) std::memcpy(static_cast<void*>(version + 1), value.data(), value.size());
    return version;
  }
  static Version* make_tombstone() { return new (::operator new(sizeof(Version))) Version(kTombstone); }
  static void destroy(void* version) noexcept {
    static_cast<Version*>(version)->~Version();
    ::operator delete(version);
  }

  bool is_tombstone() const noexcept { return size_ == kTombstone; }
  std::string_view value() const noexcept { return {reinterpret_cast<const char*>(this + 1), size_}; }
  std::size_t bytes() const noexcept { return sizeof(Version) + (is_tombstone() ? 0 : size_) + kAllocationBytes; }

  Sequence sequence = 0;
  Atomic<Version*> next{nullptr};

 private:
  static constexpr std::size_t kTombstone = ~std::size_t{0};
  explicit Version(std::size_t size) noexcept : size_(size) {}
  const std::size_t size_;
};

template <class V>
class VersionChain {
 public:
  using VersionType = Version<V>;

  VersionChain() noexcept = default;
  VersionChain(const VersionChain&) = delete;
  VersionChain& operator=(const VersionChain&) = delete;
  ~VersionChain() {
    for (VersionType* v = newest_.load(memory_order_acquire); v != nullptr;) {
      VersionType* next = v->next.load(memory_order_relaxed);
      VersionType::destroy(v);
      v = next;
    }
  }

  const VersionType* newest() const noexcept { return newest_.load(memory_order_acquire); }

  // The newest version not above `sequence`; null if there is none (or it was pruned, which cannot be while a snapshot
  // at `sequence` is held).
  const VersionType* at(Sequence sequence) const noexcept {
    const VersionType* v = newest();
    while (v != nullptr && v->sequence > sequence) v = v->next.load(memory_order_acquire);
    return v;
  }

  // Puts `version` into its place by sequence (V1), before those of the same commit: of one commit, the last write
  // counts (V4). Its sequence is above visible(), so nothing from its place on upwards is pruned meanwhile (V2); what
  // lies below may be, so the caller is under a barrier. Lock-free.
  void link(VersionType* version) noexcept {
    Atomic<VersionType*>* place = &newest_;
    VersionType* below = place->load(memory_order_acquire);
    for (;;) {
      while (below != nullptr && below->sequence > version->sequence) {
        place = &below->next;
        below = place->load(memory_order_acquire);
      }
      version->next.store(below, memory_order_relaxed);
      SCREE_SYNC_POINT("chain:link");
      if (place->compare_exchange_strong(below, version, memory_order_acq_rel, memory_order_acquire)) return;
    }
  }

  // P3. Retires all versions older than the newest one not above `horizon`, a value of CommitClock::horizon(). Returns
  // the bytes they held. It looks at few versions, at twice as many half as often: where the horizon lies deep, an old
  // snapshot holds most of the chain, and every write would pay for the walk; yet while snapshots that overlap keep it
  // deep, the chain must not grow for ever.
  std::size_t prune(const ebr::Barrier& barrier, Sequence horizon) noexcept {
    VersionType* kept = newest_.load(memory_order_acquire);
    const int reach = kept == nullptr ? 0 : prune_reach(kept->sequence);
    for (int i = 0; kept != nullptr && kept->sequence > horizon; ++i) {
      if (i == reach) return 0;
      kept = kept->next.load(memory_order_acquire);
    }
    if (kept == nullptr) return 0;
    std::size_t bytes = 0;
    VersionType* v = kept->next.exchange(nullptr, memory_order_acq_rel);  // V3: the tail is this pruner's alone
    while (v != nullptr) {
      bytes += v->bytes();
      VersionType* next = v->next.exchange(nullptr, memory_order_acq_rel);
      barrier.retire(v, &VersionType::destroy, v->bytes());
      v = next;
    }
    return bytes;
  }

  // Whether there is anything that prune() could take.
  bool has_older() const noexcept {
    const VersionType* v = newest();
    return v != nullptr && v->next.load(memory_order_relaxed) != nullptr;
  }

 private:
  // 16 for half of all numbers, 32 for a quarter, and so on.
  static int prune_reach(Sequence newest) noexcept {
    return 16 << std::min(std::countl_zero(newest * 0x9E3779B97F4A7C15u), 20);
  }

  Atomic<VersionType*> newest_{nullptr};
};

}  // namespace scree::detail
