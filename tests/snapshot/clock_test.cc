// SPDX-License-Identifier: Apache-2.0
//
// The commit clock: commits become visible in the order of their numbers, whatever the order in which they complete.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <scree/commit_clock.h>

#include "containers/jitter.h"
#include "containers/stop_at.h"
#include "containers/waiting_thread.h"
#include "snapshot/stores.h"
#include "snapshot/verdict.h"
#include "support/start_line.h"

namespace scree::test {
namespace {

// Planted bug: publishes a commit as soon as it completes.
class PublishesWhatCompletes {
 public:
  CommitTicket begin() {
    const Sequence previous = issued_.fetch_add(1);
    return {previous, previous + 1};
  }
  void complete(CommitTicket ticket) {
    SCREE_SYNC_POINT("clock:complete");
    Sequence visible = visible_.load();
    while (visible < ticket.sequence && !visible_.compare_exchange_weak(visible, ticket.sequence)) {
    }
  }
  Sequence visible() const { return visible_.load(); }

 private:
  Atomic<Sequence> visible_{0};
  Atomic<Sequence> issued_{0};
};

// Threads take numbers, do their work, complete: whenever anyone looks, all work up to visible() is done.
template <class Clock>
std::optional<std::string> check_publication(std::uint64_t seed, std::size_t commits = 800) {
  static constexpr std::size_t kThreads = 4;
  Clock clock;
  Verdict verdict;
  const auto done = std::make_unique<std::atomic<bool>[]>(kThreads * commits + 1);
  StartLine start(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed * kThreads + t);
      start.wait();
      Sequence seen = 0;
      for (std::size_t n = 0; n < commits && !verdict.reported(); ++n) {
        const CommitTicket ticket = clock.begin();
        for (auto yields = random() % 3; yields != 0; --yields) std::this_thread::yield();
        done[ticket.sequence].store(true, std::memory_order_relaxed);
        clock.complete(ticket);
        const Sequence visible = clock.visible();
        if (visible < ticket.sequence) verdict.report("a commit returned before it was visible");
        if (visible < seen) verdict.report("visible() decreased");
        for (; seen < visible; ++seen) {
          if (!done[seen + 1].load(std::memory_order_relaxed))
            verdict.report("a commit was visible before it was complete");
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (!verdict.reported() && clock.visible() != kThreads * commits) verdict.report("not all commits are visible");
  return verdict.get();
}

TEST(CommitClock, commits_are_published_in_the_order_of_their_numbers) {
  const Jitter jitter;
  EXPECT_TRUE(is_right(check_publication<CommitClock>(1)));
}
TEST(CommitClock, publication_out_of_order_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_publication<PublishesWhatCompletes>(seed); }));
}

TEST(CommitClock, numbers_that_come_from_elsewhere_need_not_be_dense) {
  CommitClock clock(100);
  EXPECT_EQ(clock.visible(), 100u);
  clock.complete({100, 164});
  std::thread later([&] { clock.complete({200, 300}); });
  clock.complete({164, 200});
  later.join();
  EXPECT_EQ(clock.visible(), 300u);
}

#if SCREE_SYNC_POINTS

// Lets a thread tell that it parked or ended.
class Signal {
 public:
  void set() {
    const std::lock_guard guard(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

// Of three commits the later two complete first.
template <class Clock>
std::optional<std::string> check_completion_out_of_order() {
  Clock clock;
  const CommitTicket first = clock.begin(), second = clock.begin(), third = clock.begin();
  std::optional<std::string> wrong;
  Signal parked[2];
  const auto complete = [&](CommitTicket ticket, Signal& signal) {
    const StopAt stop("clock:parked", [&] { signal.set(); });
    clock.complete(ticket);
    signal.set();
  };
  std::thread completes_third(complete, third, std::ref(parked[0]));
  parked[0].wait();
  std::thread completes_second(complete, second, std::ref(parked[1]));
  parked[1].wait();
  if (clock.visible() != 0)
    wrong = "commit " + std::to_string(clock.visible()) + " is visible before the first is complete";
  clock.complete(first);
  if (clock.visible() != third.sequence) wrong = "commits that were complete are not visible with the first";
  completes_third.join();
  completes_second.join();
  return wrong;
}

TEST(CommitClock, a_commit_is_invisible_until_all_earlier_ones_are_complete) {
  EXPECT_TRUE(is_right(check_completion_out_of_order<CommitClock>()));
}
TEST(CommitClock, a_commit_visible_before_an_earlier_one_is_caught) {
  EXPECT_FALSE(is_right(check_completion_out_of_order<PublishesWhatCompletes>()));
}

TEST(CommitClock, whoever_awaits_a_number_returns_once_it_is_visible) {
  CommitClock clock;
  const CommitTicket first = clock.begin(), second = clock.begin();
  Signal parked;
  std::thread waiter([&] {
    const StopAt stop("clock:parked", [&] { parked.set(); });
    clock.await_visible(second.sequence);
    EXPECT_EQ(clock.visible(), second.sequence);
    clock.await_visible(first.sequence);
    parked.set();
  });
  parked.wait();
  clock.complete(first);
  clock.complete(second);
  waiter.join();
}

TEST(CommitClock, a_writer_stopped_at_any_step_hides_its_commit_and_all_later_ones_from_every_reader) {
  for (const char* step : {"chain:link", "clock:complete"}) {
    RealStore<> store;
    store.commit({{{0, 1}, 1}, {{1, 1}, 1}});
    WaitingThread stopped([&](auto pause) {
      const StopAt stop(step, pause);
      store.commit({{{0, 1}, 2}, {{1, 1}, 2}});
    });
    ASSERT_TRUE(stopped.is_paused());
    Signal parked;
    std::thread later([&] {
      const StopAt stop("clock:parked", [&] { parked.set(); });
      store.commit({{{0, 1}, 3}, {{1, 2}, 3}});
      parked.set();
    });
    parked.wait();
    const Contents before = {{{0, 1}, 1}, {{1, 1}, 1}};
    const auto snapshot = store.snapshot();
    EXPECT_EQ(store.contents(snapshot), before);
    EXPECT_EQ(store.get({0, 1}), 1);
    EXPECT_EQ(store.get({1, 2}), std::nullopt);
    stopped.finish();
    later.join();
    EXPECT_EQ(store.get({0, 1}), 3);
    EXPECT_EQ(store.get({1, 1}), 2);
    EXPECT_EQ(store.get({1, 2}), 3);
    EXPECT_EQ(store.contents(snapshot), before);
  }
}

#endif

}  // namespace
}  // namespace scree::test
