// SPDX-License-Identifier: Apache-2.0
//
// What checked builds (SCREE_CHECKED is 1 in every translation unit: the build sets it) know of barriers, so that a
// pointer that is used when its barrier has ended, or on another thread, ends the program with a message instead of
// reading freed memory. In the product these classes are empty.

#pragma once

#include <cstdint>

#include <scree/detail/ebr_thread.h>
#include <scree/detail/misuse.h>

namespace scree::ebr::detail {

#if SCREE_CHECKED

// A barrier's part in the list of those that its thread holds.
class LiveBarrier {
 public:
  explicit LiveBarrier(Record& record) noexcept
      : record_(record), number_(++record.barriers_made), outer_(record.barriers) {
    record.barriers = this;
  }
  ~LiveBarrier() {
    check_thread();
    // Barriers need not end in the reverse order of their beginnings.
    LiveBarrier** link = &record_.barriers;
    while (*link != this) link = &(*link)->outer_;
    *link = outer_;
  }
  LiveBarrier(const LiveBarrier&) = delete;
  LiveBarrier& operator=(const LiveBarrier&) = delete;

  void check_thread() const noexcept {
    if (this_record() != &record_) scree::detail::misused("a Barrier is used on a thread that did not make it");
  }

 private:
  friend class Lease;

  Record& record_;
  const std::uint64_t number_;  // no two barriers of a record have the same
  LiveBarrier* outer_;
};

// Remembers under which barrier something was borrowed.
class Lease {
 public:
  Lease() noexcept = default;
  explicit Lease(const LiveBarrier& barrier) noexcept : record_(&barrier.record_), number_(barrier.number_) {
    barrier.check_thread();
  }

  void check() const noexcept {
    if (record_ == nullptr) return;
    if (this_record() != record_) scree::detail::misused("a Ptr is used on a thread that did not borrow it");
    for (const LiveBarrier* b = record_->barriers; b != nullptr; b = b->outer_) {
      if (b->number_ == number_) return;
    }
    scree::detail::misused("a Ptr is used after its Barrier ended");
  }

 private:
  Record* record_ = nullptr;
  std::uint64_t number_ = 0;
};

#else

class LiveBarrier {
 public:
  explicit LiveBarrier(Record&) noexcept {}
  void check_thread() const noexcept {}
};

class Lease {
 public:
  Lease() noexcept = default;
  explicit Lease(const LiveBarrier&) noexcept {}
  void check() const noexcept {}
};

#endif

}  // namespace scree::ebr::detail
