// SPDX-License-Identifier: Apache-2.0
//
// Reclamation and memory: every allocation fails in turn, and each time nothing but what is counted as leaked is lost;
// in a steady state there are none. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <new>
#include <thread>
#include <utility>

#include <scree/ebr.h>

#include "reclaim.h"
#include "support/failing_new.h"
#include "worker.h"

namespace scree::test {
namespace {

using ebr::Arc;
using ebr::AtomicArc;
using ebr::Barrier;

// Runs `operation` with the first allocation failing, then the second, … until it runs through.
template <class Operation>
std::size_t with_each_allocation_failing(bool nothrow, Operation operation) {
  for (std::size_t n = 1;; ++n) {
    FailurePoint::nothrow_fails = nothrow;
    FailurePoint::failed = false;
    FailurePoint::left = n;
    try {
      operation();
    } catch (const std::bad_alloc&) {
      EXPECT_TRUE(FailurePoint::failed);
    }
    FailurePoint::left = 0;
    FailurePoint::nothrow_fails = false;
    if (!FailurePoint::failed) return n - 1;
  }
}

TEST(EbrAllocation, that_fails_for_an_instance_or_a_deferred_function_changes_nothing) {
  ASSERT_TRUE(reclaim_all());
  Atomic<int> alive{0};
  int runs = 0;
  std::size_t completed = 0;
  auto atomic = std::make_unique<AtomicArc<Counted>>();
  const std::size_t failures = with_each_allocation_failing(false, [&] {
    const Barrier barrier;
    atomic->swap(Arc<Counted>::make(alive), ebr::Tag::kNone, memory_order_acq_rel);
    Arc<Counted> dropped = Arc<Counted>::make(alive);
    barrier.defer(std::move(dropped));
    barrier.defer_execute([&runs] { ++runs; });
    barrier.defer_incremental_execute([&runs] { return ++runs % 2 == 0; });
    ++completed;
  });
  EXPECT_EQ(failures, 5u);
  EXPECT_EQ(completed, 1u);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(ebr::stats().leaked_objects, 0u);
  EXPECT_EQ(alive, 1) << "the last one, in `atomic`";
  EXPECT_GE(runs, 2);
  atomic.reset();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// Each runs on a thread that has no spare bag yet. What is retired counts its reclamations, and is not in the heap.
TEST(EbrAllocation, that_fails_for_a_bag_leaks_what_it_counts_as_leaked_and_no_more) {
  constexpr std::size_t kRetired = 5 * ebr::detail::kBagCapacity / 2;
  Atomic<std::uint64_t> reclaimed{0};
  std::uint64_t retired = 0, failures = 0;
  const std::uint64_t leaked_before = ebr::stats().leaked_objects;
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    std::thread([&] {
      const Barrier barrier;
      FailurePoint::nothrow_fails = true;
      FailurePoint::failed = false;
      FailurePoint::left = n;
      for (std::size_t i = 0; i < kRetired; ++i) {
        barrier.retire(
            &reclaimed, [](void* p) { ++*static_cast<Atomic<std::uint64_t>*>(p); }, 10);
      }
      FailurePoint::left = 0;
      failed = FailurePoint::failed;
    }).join();
    retired += kRetired;
    failures += failed ? 1 : 0;
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(ebr::stats().pending_objects, 0u);
    EXPECT_EQ(ebr::stats().pending_bytes, 0u);
    EXPECT_EQ(ebr::stats().leaked_objects - leaked_before, failures) << "a later object finds memory again";
    EXPECT_EQ(reclaimed, retired - failures);
  }
  EXPECT_GE(failures, 1u);
}

TEST(EbrAllocation, that_fails_for_a_threads_record_lets_it_try_again) {
  // These keep the records that there are: one that another thread left would need no memory.
  const Barrier of_this_thread;
  Worker other;
  other.run([] { const Barrier barrier; });
  std::size_t failures = 0;
  std::thread([&failures] {
    failures = with_each_allocation_failing(false, [] { const Barrier barrier; });
    const Barrier barrier;
  }).join();
  EXPECT_EQ(failures, 1u);
}

TEST(EbrAllocation, is_not_needed_to_retire_in_a_steady_state) {
  Atomic<int> alive{0};
  const auto cycle = [&] {
    const Barrier barrier;
    barrier.retire(
        ::new (std::malloc(sizeof(Counted))) Counted(alive),
        [](void* p) {
          static_cast<Counted*>(p)->~Counted();
          std::free(p);
        },
        sizeof(Counted));
  };
  constexpr std::size_t kCycles = 100 * ebr::detail::kBagCapacity;
  for (std::size_t n = 0; n < kCycles; ++n) cycle();
  const std::size_t before = FailurePoint::allocations;
  for (std::size_t n = 0; n < kCycles; ++n) cycle();
  const std::size_t bags = FailurePoint::allocations - before;
  EXPECT_LE(bags, kCycles / ebr::detail::kBagCapacity / 10) << "bags are used again";
  EXPECT_TRUE(reclaim_all());
}

}  // namespace
}  // namespace scree::test
