// SPDX-License-Identifier: Apache-2.0
//
// The commit pipeline without an engine: a log on a file system in memory, a clock and version sets made by hand.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <scree/commit_clock.h>
#include <scree/log.h>
#include <scree/log_reader.h>
#include <scree/memory_file_system.h>

#include "commit_pipeline.h"
#include "containers/stop_at.h"
#include "engine/pause_at.h"
#include "support/start_line.h"

namespace scree::detail {
namespace {

class Pipeline {
 public:
  Pipeline() {
    EXPECT_TRUE(files_.create_directory("/log").is_ok());
    LogOptions options;
    options.file_system = &files_;
    options.directory = "/log";
    options.log_id = 1;
    options.segment_bytes = 4096;
    EXPECT_TRUE(Log::open(std::move(options), LogTail{}, &log_).is_ok());
    clock_.start_at(log_->start());
    publish({make_generation(log_->start())});
    pipeline_.emplace(CommitEnvironment{*log_, clock_, versions_});
  }

  // Puts `value` under `key` in a tree (index 1) and in a hash (index 2), in one commit.
  Status put(std::string_view key, std::string_view value, CommitResult* result,
             Durability durability = Durability::kProcess) {
    const CommitOperation operations[] = {{1, IndexKind::kTree, false, key, value},
                                          {2, IndexKind::kHash, false, key, value}};
    const std::array payload{key, std::string_view("="), value};
    return pipeline_->commit(operations, payload, durability, result);
  }

  // What is visible in `generation`, if both indexes agree.
  std::optional<std::string> get(const Generation& generation, std::string_view key) const {
    const ebr::Barrier barrier;
    std::array<std::optional<std::string>, 2> values;
    for (const std::uint32_t index : {1u, 2u}) {
      const Memtable* table = generation.find(index, barrier);
      const Memtable::Chain* chain = table == nullptr ? nullptr : table->find(key, barrier);
      const auto* version = chain == nullptr ? nullptr : chain->at(clock_.visible());
      if (version != nullptr) values[index - 1] = version->value();
    }
    EXPECT_EQ(values[0], values[1]);
    return values[0];
  }

  // The payloads that are in the log.
  std::vector<std::string> replayed() {
    std::vector<std::string> payloads;
    ReplayOptions options;
    options.file_system = &files_;
    options.directory = "/log";
    options.log_id = 1;
    ReplayReport report;
    const auto deliver = [&](Position, Position, std::string_view payload) {
      payloads.emplace_back(payload);
      return Status();
    };
    EXPECT_TRUE(replay(options, deliver, &report).is_ok());
    return payloads;
  }

  // As a freeze does it: a new generation from the next segment on.
  void freeze() {
    auto next = make_generation(0);
    Reservation rest;
    // Nobody else reserves meanwhile, so that the set may be published after the roll here.
    ASSERT_TRUE(log_->roll(&rest).is_ok());
    next->set_begin(rest.end);
    generations_.back()->set_end(rest.end);
    publish({next, generations_.front()});
    clock_.complete({rest.previous_end, rest.end});
  }

  MemoryFileSystem& files() { return files_; }
  CommitClock& clock() { return clock_; }
  Generation& generation(std::size_t n) { return *generations_[n]; }

 private:
  std::shared_ptr<Generation> make_generation(Position begin) {
    auto generation = std::make_shared<Generation>(clock_, budget_);
    generation->set_begin(begin);
    generations_.push_back(generation);
    return generation;
  }
  void publish(std::vector<std::shared_ptr<Generation>> generations) {
    versions_.swap(ebr::Arc<VersionSet>::make(VersionSet{std::move(generations), nullptr, {}}), ebr::Tag::kNone,
                   memory_order_acq_rel);
  }

  MemoryFileSystem files_;
  CommitClock clock_;
  const std::shared_ptr<MemoryGauge> budget_ = std::make_shared<MemoryGauge>();
  std::vector<std::shared_ptr<Generation>> generations_;
  std::unique_ptr<Log> log_;
  ebr::AtomicArc<VersionSet> versions_;
  std::optional<CommitPipeline> pipeline_;
};

TEST(CommitPipeline, makes_a_commit_visible_under_its_place_in_the_log) {
  Pipeline pipeline;
  CommitResult first;
  ASSERT_TRUE(pipeline.put("a", "1", &first).is_ok());
  EXPECT_EQ(first.sequence, pipeline.clock().visible());
  EXPECT_EQ(first.generation_bytes, pipeline.generation(0).bytes());
  CommitResult second;
  ASSERT_TRUE(pipeline.put("a", "2", &second, Durability::kDisk).is_ok());
  EXPECT_GT(second.sequence, first.sequence);
  EXPECT_EQ(pipeline.get(pipeline.generation(0), "a"), "2");
  EXPECT_EQ(pipeline.replayed(), (std::vector<std::string>{"a=1", "a=2"}));
}

TEST(CommitPipeline, does_nothing_when_the_log_takes_no_record_and_goes_on_when_it_does) {
  Pipeline pipeline;
  CommitResult result;
  ASSERT_TRUE(pipeline.put("a", "1", &result).is_ok());
  const Sequence before = pipeline.clock().visible();
  pipeline.files().set_space(0);
  // It fits into no segment that is there.
  const std::string large(5000, 'x');
  for (int i = 0; i < 3; ++i) {
    CommitResult refused;
    const Status status = pipeline.put("b", large, &refused);
    EXPECT_TRUE(status.is_no_space()) << status.to_string();
    EXPECT_EQ(refused.sequence, 0u);
    EXPECT_EQ(pipeline.clock().visible(), before);
    EXPECT_EQ(pipeline.get(pipeline.generation(0), "b"), std::nullopt);
  }
  ASSERT_TRUE(pipeline.put("c", "fits", &result).is_ok());
  pipeline.files().set_space(std::nullopt);
  ASSERT_TRUE(pipeline.put("b", large, &result).is_ok());
  EXPECT_EQ(result.sequence, pipeline.clock().visible());
  EXPECT_EQ(pipeline.get(pipeline.generation(0), "b"), large);
  EXPECT_EQ(pipeline.replayed(), (std::vector<std::string>{"a=1", "c=fits", "b=" + large}));
}

TEST(CommitPipeline, acknowledges_nothing_once_a_write_of_the_log_failed) {
  for (const FileOperation broken : {FileOperation::kWrite, FileOperation::kSync}) {
    Pipeline pipeline;
    CommitResult safe;
    ASSERT_TRUE(pipeline.put("a", "1", &safe, Durability::kDisk).is_ok());
    bool failed = false;
    pipeline.files().set_interceptor([&](FileOperation operation, const std::string&, std::uint64_t) {
      if (failed || operation != broken) return Status();
      failed = true;
      return Status::io_error("planted");
    });
    CommitResult result;
    Status status = pipeline.put("b", "1", &result, Durability::kDisk);
    EXPECT_TRUE(status.is_io_error()) << status.to_string();
    EXPECT_NE(status.message().find("planted"), std::string_view::npos);
    // It was numbered before it failed: the clock must not wait for it for ever.
    EXPECT_GT(result.sequence, safe.sequence);
    EXPECT_EQ(result.sequence, pipeline.clock().visible());
    for (const Durability durability : {Durability::kProcess, Durability::kDisk}) {
      CommitResult refused;
      status = pipeline.put("c", "1", &refused, durability);
      EXPECT_TRUE(status.is_io_error()) << status.to_string();
      EXPECT_EQ(refused.sequence, 0u);
    }
    EXPECT_EQ(pipeline.get(pipeline.generation(0), "c"), std::nullopt);
  }
}

TEST(CommitPipeline, gives_commits_of_many_threads_one_order) {
  constexpr std::size_t kThreads = 3;
  constexpr int kCommits = 1000;
  Pipeline pipeline;
  std::vector<std::vector<Sequence>> sequences(kThreads);
  test::StartLine start(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.wait();
      for (int n = 0; n < kCommits; ++n) {
        CommitResult result;
        EXPECT_TRUE(pipeline.put("key", std::to_string(t) + "." + std::to_string(n), &result).is_ok());
        EXPECT_GE(pipeline.clock().visible(), result.sequence);
        sequences[t].push_back(result.sequence);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::pair<Sequence, std::string>> order;
  for (std::size_t t = 0; t < kThreads; ++t) {
    for (int n = 0; n < kCommits; ++n) {
      order.emplace_back(sequences[t][static_cast<std::size_t>(n)], std::to_string(t) + "." + std::to_string(n));
    }
  }
  std::sort(order.begin(), order.end());
  EXPECT_EQ(pipeline.get(pipeline.generation(0), "key"), order.back().second);
  std::vector<std::string> expected;
  for (const auto& [sequence, value] : order) expected.push_back("key=" + value);
  EXPECT_EQ(pipeline.replayed(), expected);
}

#if SCREE_SYNC_POINTS

TEST(CommitPipeline, puts_a_commit_where_its_position_belongs_though_it_was_prepared_elsewhere) {
  Pipeline pipeline;
  const test::StopAt stop("commit:prepared", [&] { pipeline.freeze(); });
  CommitResult result;
  ASSERT_TRUE(pipeline.put("a", "1", &result).is_ok());
  EXPECT_GT(result.sequence, pipeline.generation(1).begin());
  EXPECT_EQ(pipeline.get(pipeline.generation(0), "a"), std::nullopt);
  EXPECT_EQ(pipeline.get(pipeline.generation(1), "a"), "1");
}

TEST(CommitPipeline, lets_no_commit_be_seen_before_one_that_was_numbered_earlier) {
  Pipeline pipeline;
  const Sequence before = pipeline.clock().visible();
  test::PauseAt pause("commit:linked", "clock:parked");
  CommitResult earlier;
  std::thread first([&] { EXPECT_TRUE(pipeline.put("a", "1", &earlier).is_ok()); });
  ASSERT_TRUE(pause.await_paused());
  CommitResult later;
  std::thread second([&] { EXPECT_TRUE(pipeline.put("a", "2", &later).is_ok()); });
  EXPECT_TRUE(pause.await_watched());
  EXPECT_EQ(pipeline.clock().visible(), before);
  EXPECT_EQ(pipeline.get(pipeline.generation(0), "a"), std::nullopt);
  pause.release();
  first.join();
  second.join();
  EXPECT_LT(earlier.sequence, later.sequence);
  EXPECT_EQ(pipeline.get(pipeline.generation(0), "a"), "2");
}

#endif

}  // namespace
}  // namespace scree::detail
