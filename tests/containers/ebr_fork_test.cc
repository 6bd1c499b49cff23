// SPDX-License-Identifier: Apache-2.0
//
// Reclamation in the child of a fork: only the forking thread is there, and what the others held back or retired does
// not matter.

#include <gtest/gtest.h>

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <thread>

#include <scree/ebr.h>

#include "reclaim.h"
#include "worker.h"

namespace scree::test {
namespace {

using ebr::Barrier;

// What the child's check returned: 0 all right, else which step failed; -1 if the child did not end normally.
int in_child(const std::function<int()>& check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check());
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(EbrFork, child_frees_what_its_thread_retired_whatever_other_threads_held) {
  Atomic<int> of_this{0}, of_other{0};
  Worker other;
  std::optional<Barrier> held;
  other.run([&] {
    held.emplace();
    held->retire(new Counted(of_other));
  });
  {
    const Barrier barrier;
    barrier.retire(new Counted(of_this));
  }
  EXPECT_FALSE(reclaim_all(100)) << "the other thread's barrier holds it back";
  EXPECT_EQ(in_child([&] {
              if (!reclaim_all(100)) return 1;
              if (of_this != 0) return 2;
              if (of_other != 1) return 3;  // the parent's
              const ebr::Stats stats = ebr::stats();
              if (stats.pending_objects != 0 || stats.pending_bytes != 0 || stats.threads != 1) return 4;
              const Barrier barrier;
              for (int n = 0; n < 3000; ++n) barrier.retire(new Counted(of_this));
              return 0;
            }),
            0);
  other.run([&] { held.reset(); });
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(of_this, 0);
  EXPECT_EQ(of_other, 0);
}

TEST(EbrFork, child_keeps_the_barrier_that_its_thread_held) {
  Atomic<int> alive{0};
  EXPECT_EQ(in_child([&] {
              {
                const Barrier barrier;
                barrier.retire(new Counted(alive));
                const int exit_code = in_child([&] {
                  if (reclaim_all(100)) return 1;
                  return alive == 1 ? 0 : 2;
                });
                if (exit_code != 0) return exit_code;
              }
              return reclaim_all(100) && alive == 0 ? 0 : 3;
            }),
            0);
}

TEST(EbrFork, child_of_a_function_that_frees_something_reclaims_the_rest) {
  Atomic<int> alive{0};
  int result = -1;
  {
    const Barrier barrier;
    barrier.retire(new Counted(alive));
    barrier.defer_execute([&] {
      const pid_t child = ::fork();
      if (child != 0) {
        int status = 0;
        ::waitpid(child, &status, 0);
        result = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      }
      if (child == 0) result = 100;  // told below, when this function has returned
    });
    barrier.retire(new Counted(alive));
  }
  const bool all = reclaim_all(100);
  if (result == 100) ::_exit(all && alive == 0 ? 0 : 1);
  EXPECT_EQ(result, 0);
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(EbrFork, of_a_thread_without_a_record_gives_a_child_that_can_use_barriers) {
  Atomic<int> alive{0};
  Worker other;
  std::optional<Barrier> held;
  other.run([&] { held.emplace(); });
  std::thread([&] {
    EXPECT_EQ(in_child([&] {
                {
                  const Barrier barrier;
                  barrier.retire(new Counted(alive));
                }
                return reclaim_all(100) && alive == 0 ? 0 : 1;
              }),
              0);
  }).join();
  other.run([&] { held.reset(); });
}

#if !SCREE_UNDER_TSAN  // it ends a child of several threads that makes another

TEST(EbrFork, child_may_start_threads) {
  Atomic<int> alive{0};
  Worker other;
  std::optional<Barrier> held;
  other.run([&] { held.emplace(); });
  EXPECT_EQ(in_child([&] {
              for (int n = 0; n < 10; ++n) {
                std::thread([&] {
                  const Barrier barrier;
                  for (int i = 0; i < 100; ++i) barrier.retire(new Counted(alive));
                }).join();
              }
              return reclaim_all() && alive == 0 ? 0 : 1;
            }),
            0);
  other.run([&] { held.reset(); });
}

#endif

#if !SCREE_UNDER_TSAN && !SCREE_UNDER_ASAN  // their allocators may be locked in the child for ever

// Forks at whatever moment of what other threads do with the domain.
TEST(EbrFork, at_any_moment_leaves_the_child_able_to_reclaim) {
  Atomic<int> alive{0};
  Atomic<bool> stop{false};
  const auto retire_and_collect = [&] {
    while (!stop.load()) {
      {
        const Barrier barrier;
        for (int n = 0; n < 50; ++n) barrier.retire(new Counted(alive));
      }
      ebr::collect();
    }
  };
  std::thread first(retire_and_collect), second(retire_and_collect);
  for (int n = 0; n < 50; ++n) {
    Atomic<int> own{0};
    { const Barrier barrier; }
    EXPECT_EQ(in_child([&] {
                {
                  const Barrier barrier;
                  for (int i = 0; i < 1000; ++i) barrier.retire(new Counted(own));
                }
                return reclaim_all() && own == 0 ? 0 : 1;
              }),
              0);
  }
  stop = true;
  first.join();
  second.join();
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

#endif

}  // namespace
}  // namespace scree::test
