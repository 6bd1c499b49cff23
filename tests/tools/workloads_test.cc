// SPDX-License-Identifier: Apache-2.0

#include "workloads.h"

#include <numeric>

#include <gtest/gtest.h>

#include "map_engine.h"
#include "runner.h"

namespace scree::bench {
namespace {

class Workloads : public testing::Test {
 protected:
  Workloads() {
    config_.num = 1000;
    config_.key_size = 16;
    config_.value_size = 100;
  }

  Status try_run(std::string_view name) {
    const Benchmark* benchmark = find_benchmark(name);
    if (benchmark == nullptr) return Status::not_found(std::string(name));
    const ValuePool pool(config_.compression_ratio, config_.value_size);
    result_ = {};
    return run_benchmark(*benchmark, config_, pool, config_.seed, store_, &result_);
  }

  const Measurement& run(std::string_view name) {
    const Status status = try_run(name);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return result_.main;
  }

  Config config_;
  MapStore store_;
  RunResult result_;
};

TEST_F(Workloads, fillseq_writes_each_key_once) {
  const Measurement& m = run("fillseq");
  EXPECT_EQ(m.operations, 1000u);
  EXPECT_EQ(m.bytes, 116000u);
  EXPECT_EQ(store_.contents.size(), 1000u);
  EXPECT_EQ(store_.batch_sizes, std::vector<std::size_t>(1000, 1));
  Key key(16);
  EXPECT_EQ(store_.contents.begin()->first, key.set(0));
  EXPECT_EQ(store_.contents.rbegin()->first, key.set(999));
}

TEST_F(Workloads, fillbatch_writes_batches_of_1000_or_of_the_size_asked_for) {
  config_.num = 2500;
  EXPECT_EQ(run("fillbatch").operations, 2500u);
  EXPECT_EQ(store_.batch_sizes, (std::vector<std::size_t>{1000, 1000, 500}));
  EXPECT_EQ(store_.contents.size(), 2500u);

  store_.batch_sizes.clear();
  config_.batch_size = 900;
  run("fillbatch");
  EXPECT_EQ(store_.batch_sizes, (std::vector<std::size_t>{900, 900, 700}));
}

TEST_F(Workloads, fillsync_alone_asks_for_sync_unless_all_do) {
  run("fillrandom");
  EXPECT_EQ(store_.synced_sessions, 0u);
  config_.num = 5000;
  EXPECT_EQ(run("fillsync").operations, 3000u);
  EXPECT_EQ(store_.synced_sessions, 1u);
  config_.sync = true;
  run("fillrandom");
  EXPECT_EQ(store_.synced_sessions, 2u);
}

TEST_F(Workloads, fillrandom_draws_from_all_keys) {
  EXPECT_EQ(run("fillrandom").operations, 1000u);
  EXPECT_GT(store_.contents.size(), 500u);
  EXPECT_LT(store_.contents.size(), 750u);
  Key key(16);
  EXPECT_LE(store_.contents.rbegin()->first, key.set(999));
}

TEST_F(Workloads, readrandom_finds_every_key_of_a_full_store_and_none_of_an_empty_one) {
  EXPECT_EQ(run("readrandom").remark, "(0 of 1000 found)");
  run("fillseq");
  EXPECT_EQ(run("readrandom").remark, "(1000 of 1000 found)");
  EXPECT_EQ(result_.main.bytes, 116000u);
}

TEST_F(Workloads, readmissing_finds_nothing_in_a_full_store) {
  run("fillseq");
  EXPECT_EQ(run("readmissing").remark, "(0 of 1000 found)");
}

TEST_F(Workloads, scans_visit_every_entry_or_as_many_as_are_asked_for) {
  run("fillrandom");
  const std::uint64_t entries = store_.contents.size();
  for (const char* name : {"readseq", "readreverse"}) {
    EXPECT_EQ(run(name).operations, entries) << name;
    EXPECT_EQ(result_.main.bytes, 116 * entries) << name;
  }
  config_.reads = 10;
  EXPECT_EQ(run("readseq").operations, 10u);
}

TEST_F(Workloads, seekrandom_reads_the_entries_behind_its_target_or_before_it) {
  config_.num = 50;
  run("fillseq");
  config_.seek_nexts = 50;
  EXPECT_EQ(run("seekrandom").remark, "(50 of 50 found)");
  const std::uint64_t forward = result_.main.bytes;
  config_.reverse_iterator = true;
  run("seekrandom");
  // The same targets: an entry is behind the target or before it, the target itself both.
  EXPECT_EQ(forward + result_.main.bytes, 50u * 51 * 116);
}

TEST_F(Workloads, updaterandom_reads_then_writes) {
  EXPECT_EQ(run("updaterandom").operations, 1000u);
  const std::size_t entries = store_.contents.size();
  EXPECT_EQ(result_.main.remark, "( updates:1000 found:" + std::to_string(1000 - entries) + ")");
}

TEST_F(Workloads, deleterandom_erases_in_batches) {
  run("fillseq");
  store_.batch_sizes.clear();
  config_.batch_size = 300;
  EXPECT_EQ(run("deleterandom").operations, 1000u);
  EXPECT_EQ(store_.batch_sizes, (std::vector<std::size_t>{300, 300, 300, 100}));
  EXPECT_LT(store_.contents.size(), 500u);
  EXPECT_GT(store_.contents.size(), 250u);
}

TEST_F(Workloads, readwhilewriting_measures_readers_and_the_writer_apart) {
  run("fillseq");
  store_.batch_sizes.clear();
  config_.threads = 2;
  EXPECT_EQ(run("readwhilewriting").remark, "(2000 of 2000 found)");
  EXPECT_EQ(result_.main.threads, 2u);
  ASSERT_TRUE(result_.writer.has_value());
  EXPECT_EQ(result_.writer->name, "readwhilewriting_writer");
  EXPECT_EQ(result_.writer->threads, 1u);
  EXPECT_EQ(result_.writer->operations, store_.batch_sizes.size());
}

TEST_F(Workloads, a_paced_writer_ends_with_the_readers) {
  run("fillseq");
  store_.batch_sizes.clear();
  config_.write_rate_limit = 1;  // its second write would come after minutes
  run("readwhilewriting");
  EXPECT_EQ(store_.batch_sizes.size(), 1u);
}

TEST_F(Workloads, every_thread_does_all_operations_with_random_numbers_of_its_own) {
  config_.threads = 3;
  EXPECT_EQ(run("fillrandom").operations, 3000u);
  EXPECT_EQ(store_.batch_sizes.size(), 3000u);
  EXPECT_GT(store_.contents.size(), 900u) << "3000 draws of 1000 keys leave out about 50";
}

TEST_F(Workloads, the_same_seed_writes_the_same_keys) {
  run("fillrandom");
  const MapContents first = std::exchange(store_.contents, {});
  run("fillrandom");
  EXPECT_EQ(store_.contents, first);
  store_.contents.clear();
  config_.seed += 1;
  run("fillrandom");
  EXPECT_NE(store_.contents, first);
}

TEST_F(Workloads, latencies_are_measured_only_when_asked_for) {
  EXPECT_EQ(run("fillseq").latency.count(), 0u);
  config_.histogram = true;
  EXPECT_EQ(run("fillseq").latency.count(), 1000u / 17);
  EXPECT_EQ(run("fillbatch").latency.count(), 1u);
}

TEST_F(Workloads, a_duration_replaces_the_count) {
  config_.num = 10;
  config_.duration = std::chrono::seconds(1);
  EXPECT_GT(run("overwrite").operations, 10u);
  EXPECT_EQ(run("fillseq").operations, 10u) << "sequential keys end with the count";
}

TEST_F(Workloads, a_failed_write_ends_the_benchmark_with_its_reason) {
  for (const char* name : {"fillseq", "fillbatch", "fillsync", "overwrite", "updaterandom", "deleterandom"}) {
    store_.batch_sizes.clear();
    store_.fail_write = 1;
    const Status status = try_run(name);
    EXPECT_TRUE(status.is_io_error()) << name;
    EXPECT_NE(status.to_string().find("planted"), std::string::npos) << status.to_string();
    EXPECT_EQ(store_.batch_sizes.size(), 1u) << name;
  }
}

TEST_F(Workloads, a_failed_background_writer_is_not_hidden_by_its_readers) {
  run("fillseq");
  store_.batch_sizes.clear();
  store_.fail_write = 1;
  config_.reads = 1000000;
  const Status status = try_run("readwhilewriting");
  EXPECT_TRUE(status.is_io_error()) << status.to_string();
}

TEST_F(Workloads, a_comparison_does_fewer_operations_where_the_store_is_there_already) {
  const EngineEntry peer{};
  config_.peer = &peer;
  config_.num = 3000;
  EXPECT_EQ(find_benchmark("fillrandom")->operations(config_), 3000u);
  EXPECT_EQ(find_benchmark("overwrite")->operations(config_), 900u);
  EXPECT_EQ(find_benchmark("readrandom")->operations(config_), 900u);
  EXPECT_EQ(find_benchmark("readseq")->operations(config_), 3000u);
  EXPECT_EQ(find_benchmark("seekrandom")->operations(config_), 100u);
  config_.reads = 7;
  config_.writes = 8;
  EXPECT_EQ(find_benchmark("overwrite")->operations(config_), 8u);
  EXPECT_EQ(find_benchmark("readrandom")->operations(config_), 7u);
  EXPECT_EQ(find_benchmark("seekrandom")->operations(config_), 7u);
  EXPECT_EQ(find_benchmark("updaterandom")->operations(config_), 8u);
}

TEST(Benchmarks, all_have_distinct_names) {
  for (const Benchmark& benchmark : benchmarks()) EXPECT_EQ(find_benchmark(benchmark.name), &benchmark);
  EXPECT_EQ(benchmarks().size(), 13u);
  EXPECT_EQ(find_benchmark("fill"), nullptr);
}

}  // namespace
}  // namespace scree::bench
