// SPDX-License-Identifier: Apache-2.0
//
// Coroutines that are destroyed while they await an operation of a TreeIndex: before the node whose lock they wait for
// has died, after that, and after the index. Under AddressSanitizer nothing is touched that is freed, and nothing
// leaks.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <scree/ebr.h>
#include <scree/resume_hook.h>
#include <scree/tree_index.h>

#include "reclaim.h"
#include "support/coroutine.h"
#include "support/tree_walk.h"
#include "tree_index_async.h"

namespace scree::test {
namespace {

#if SCREE_SYNC_POINTS

// Coroutines that insert the keys 10 n + 2, of which some wait for a thread that is stopped.
class TreeIndexAsyncLeaving : public testing::TestWithParam<Stop> {
 protected:
  TreeIndexAsyncLeaving() {
    fill(*index_, stop().entries);
    writer_.emplace([this](auto pause) {
      const StopAt at(stop().point, pause);
      stop().run(*index_);
    });
    EXPECT_TRUE(writer_->is_paused());
  }
  ~TreeIndexAsyncLeaving() override {
    writer_.reset();
    coroutines_.clear();
    index_.reset();
    EXPECT_TRUE(reclaim_all());
  }

  static const Stop& stop() { return GetParam(); }
  static std::uint64_t key(std::uint64_t n) { return n * 10 + 2; }

  void begin() {
    const std::size_t count = stop().end - stop().first;
    results_ = std::vector<char>(count);
    for (std::uint64_t n = 0; n < count; ++n) {
      coroutines_.push_back([](Numbers& index, std::uint64_t to_insert, char& result) -> Coroutine {
        const bool fresh = co_await index.insert_async(to_insert, -1);
        result = fresh;
      }(*index_, key(stop().first + n), results_[n]));
    }
    EXPECT_GT(unfinished(), 0u);
  }
  std::size_t unfinished() const {
    std::size_t count = 0;
    for (const Coroutine& coroutine : coroutines_) count += !coroutine.is_done();
    return count;
  }
  void expect_what_they_reported() const {
    for (std::uint64_t n = stop().first; n < stop().end; ++n) {
      EXPECT_EQ(index_->contains(key(n)), results_[n - stop().first] != 0) << n;
    }
    EXPECT_TRUE(size_is_exact(*index_));
  }

  std::optional<Numbers> index_{std::in_place};
  std::vector<char> results_;
  std::vector<Coroutine> coroutines_;
  std::optional<WaitingThread> writer_;
};

TEST_P(TreeIndexAsyncLeaving, while_the_change_is_stopped_inserts_nothing) {
  begin();
  for (std::size_t n = 0; n < coroutines_.size(); n += 2) coroutines_[n].destroy();
  writer_->finish();
  for (std::size_t n = 1; n < coroutines_.size(); n += 2) EXPECT_TRUE(coroutines_[n].is_done());
  expect_what_they_reported();
}

// By a thread that has used no index before.
TEST_P(TreeIndexAsyncLeaving, is_destroyed_by_another_thread) {
  begin();
  std::thread([this] { coroutines_.clear(); }).join();
  writer_->finish();
  expect_what_they_reported();
}

TEST_P(TreeIndexAsyncLeaving, when_the_change_is_over_and_its_nodes_are_reclaimed) {
  Collects hook;
  {
    const ResumeScope scope(hook);
    begin();
  }
  writer_.reset();
  EXPECT_TRUE(reclaim_all());
  EXPECT_GT(unfinished(), 0u) << "none has been resumed";
  coroutines_.clear();
  expect_what_they_reported();
}

TEST_P(TreeIndexAsyncLeaving, when_its_hook_destroys_what_it_is_given) {
  Collects hook;
  {
    const ResumeScope scope(hook);
    begin();
  }
  writer_.reset();
  EXPECT_EQ(hook.collected.size(), unfinished());
  // What the hook has stands for the coroutine: its frame goes with it.
  for (Coroutine& coroutine : coroutines_) {
    if (!coroutine.is_done()) coroutine.release();
  }
  for (const auto handle : hook.collected) handle.destroy();
  expect_what_they_reported();
}

TEST_P(TreeIndexAsyncLeaving, waits_in_what_the_index_has_been_cleared_of) {
  begin();
  index_->clear();
  const std::size_t done = coroutines_.size() - unfinished();
  for (std::size_t n = 0; n < coroutines_.size(); n += 2) coroutines_[n].destroy();
  std::vector<bool> were_done;
  for (std::size_t n = 1; n < coroutines_.size(); n += 2) were_done.push_back(coroutines_[n].is_done());
  writer_->finish();
  EXPECT_LT(done, coroutines_.size());
  for (std::size_t n = 1; n < coroutines_.size(); n += 2) {
    EXPECT_TRUE(coroutines_[n].is_done());
    // Those that waited have inserted into the new tree.
    EXPECT_EQ(index_->contains(key(stop().first + n)), !were_done[n / 2]);
  }
  EXPECT_TRUE(size_is_exact(*index_));
}

TEST_P(TreeIndexAsyncLeaving, outlives_the_index) {
  Collects hook;
  {
    const ResumeScope scope(hook);
    begin();
    index_->clear();
  }
  writer_.reset();
  index_.reset();
  EXPECT_TRUE(reclaim_all());
  EXPECT_GT(unfinished(), 0u);
  coroutines_.clear();
}

INSTANTIATE_TEST_SUITE_P(At, TreeIndexAsyncLeaving, testing::ValuesIn(kStops),
                         [](const auto& of) { return of.param.name(); });

// Its value, which was moved into a draft, goes back to where it came from.
TEST(TreeIndexAsync, gives_its_value_back_when_it_is_destroyed) {
  TreeIndex<std::uint64_t, std::unique_ptr<int>> index;
  for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n * 10, std::make_unique<int>(0));
  auto value = std::make_unique<int>(7);
  WaitingThread writer([&](auto pause) {
    const StopAt at("tree:split:frozen", pause);
    for (std::uint64_t n = 5001; n < 5100; n += 2) index.insert(n, std::make_unique<int>(0));
  });
  Coroutine coroutine = [](auto& of, std::unique_ptr<int>& to_insert) -> Coroutine {
    co_await of.insert_async(std::uint64_t{5002}, std::move(to_insert));
  }(index, value);
  ASSERT_FALSE(coroutine.is_done());
  EXPECT_EQ(value, nullptr);
  coroutine.destroy();
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 7);
}

#endif

}  // namespace
}  // namespace scree::test
