// SPDX-License-Identifier: Apache-2.0
//
// What container_bench makes of runs whose times are known.

#include <atomic>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "compare.h"
#include "json_reader.h"
#include "table.h"
#include "timed_threads.h"

namespace scree::bench {
namespace {

// Contenders that take the times they are told to, and note that they ran.
class Script {
 public:
  // Runs for these nanoseconds per operation, in this order.
  Contender takes(const std::string& name, std::deque<double> times) {
    return {.name = name, .run = [this, name, times](const RunRequest& request, double* nanoseconds) mutable {
              note(name, request);
              if (times.empty()) return Status::aborted("run too often");
              *nanoseconds = times.front() * static_cast<double>(request.n);
              times.pop_front();
              return Status::ok();
            }};
  }

  Contender always_takes(const std::string& name, double time) {
    return {.name = name, .run = [this, name, time](const RunRequest& request, double* nanoseconds) {
              note(name, request);
              *nanoseconds = time * static_cast<double>(request.n);
              return Status::ok();
            }};
  }

  Contender fails(const std::string& name) {
    return {.name = name, .run = [](const RunRequest&, double*) { return Status::corruption("garbage stayed"); }};
  }

  std::string order() const {
    std::string names;
    for (const Run& run : runs_) names += run.name;
    return names;
  }

  struct Run {
    std::string name;
    RunRequest request;
  };
  const std::vector<Run>& runs() const { return runs_; }

 private:
  void note(const std::string& name, const RunRequest& request) { runs_.push_back({name, request}); }

  std::vector<Run> runs_;
};

TEST(ContainerComparison, runs_the_contenders_in_turn_and_drops_the_first_round) {
  Script script;
  const Benchmark benchmark = {.name = "enter_exit",
                               .container = script.takes("a", {1000, 1, 4, 3}),
                               .peers = {script.takes("b", {9, 2, 2, 2}), script.takes("c", {9, 1, 1, 1})}};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 1, 100, 3, &comparison).is_ok());
  EXPECT_EQ(script.order(), "abcabcabcabc");

  ASSERT_EQ(comparison.results.size(), 3u);
  EXPECT_EQ(comparison.results[0].subject, "a");
  EXPECT_DOUBLE_EQ(comparison.results[0].nanoseconds_per_operation, 3);
  EXPECT_DOUBLE_EQ(comparison.results[0].operations_per_second, 1e9 / 3);
  EXPECT_EQ(comparison.results[1].subject, "b");
  EXPECT_DOUBLE_EQ(comparison.results[1].nanoseconds_per_operation, 2);
}

TEST(ContainerComparison, a_ratio_is_our_time_over_the_peers_pair_by_pair) {
  Script script;
  const Benchmark benchmark = {.name = "enter_exit",
                               .container = script.takes("a", {7, 1, 8, 6, 4}),
                               .peers = {script.takes("b", {7, 2, 4, 1, 4})}};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 2, 100, 4, &comparison).is_ok());
  // The pairs' ratios are 0.5, 2, 6 and 1, their differences -1, 4, 5 and 0.
  ASSERT_EQ(comparison.ratios.size(), 1u);
  const Ratio& ratio = comparison.ratios[0];
  EXPECT_EQ(ratio.benchmark, "enter_exit");
  EXPECT_EQ(ratio.subject, "a");
  EXPECT_EQ(ratio.peer, "b");
  EXPECT_EQ(ratio.threads, 2u);
  EXPECT_EQ(ratio.n, 100u);
  EXPECT_DOUBLE_EQ(ratio.median, 1.5);
  EXPECT_DOUBLE_EQ(ratio.min, 0.5);
  EXPECT_DOUBLE_EQ(ratio.max, 6);
  EXPECT_EQ(ratio.pairs, 4u);
  EXPECT_DOUBLE_EQ(ratio.difference_ns.value(), 2);
}

TEST(ContainerComparison, all_runs_do_the_same_operations_in_equal_parts_for_the_threads) {
  Script script;
  const Benchmark benchmark = {
      .name = "enter_exit", .container = script.always_takes("a", 1), .peers = {script.always_takes("b", 2)}};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 3, 100, 2, &comparison).is_ok());
  ASSERT_EQ(script.runs().size(), 6u);
  for (const Script::Run& run : script.runs()) {
    EXPECT_EQ(run.request.n, 102u);
    EXPECT_EQ(run.request.operations_per_thread(), 34u);
  }
  EXPECT_EQ(comparison.results[0].n, 102u);
}

TEST(ContainerComparison, without_a_number_of_operations_every_run_lasts_long_enough) {
  constexpr double kFastest = 0.25;
  Script script;
  const Benchmark benchmark = {.name = "enter_exit",
                               .container = script.always_takes("a", 40),
                               .peers = {script.always_takes("b", kFastest), script.always_takes("c", 4)}};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 1, std::nullopt, 1, &comparison).is_ok());
  const std::uint64_t n = comparison.results[0].n;
  EXPECT_GE(static_cast<double>(n) * kFastest, 50e6);
  EXPECT_LE(static_cast<double>(n) * kFastest, 70e6) << "and not much longer";
  ASSERT_GE(script.runs().size(), 6u);
  for (std::size_t i = script.runs().size() - 6; i < script.runs().size(); ++i) {
    EXPECT_EQ(script.runs()[i].request.n, n);
  }
  EXPECT_TRUE(script.order().ends_with("abcabc"));
}

TEST(ContainerComparison, a_benchmarks_own_number_of_operations_is_taken_unless_another_is_asked_for) {
  for (const std::optional<std::uint64_t> n : {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(500)}) {
    Script script;
    const Benchmark benchmark = {.name = "stalled_reader", .container = script.always_takes("a", 1), .default_n = 2000};
    Comparison comparison;
    ASSERT_TRUE(compare(benchmark, 1, n, 1, &comparison).is_ok());
    EXPECT_EQ(script.order(), "aa") << "nothing is tried first";
    EXPECT_EQ(comparison.results[0].n, n.value_or(2000));
  }
}

TEST(ContainerComparison, does_no_more_operations_than_the_benchmark_bears) {
  for (const std::optional<std::uint64_t> n :
       {std::optional<std::uint64_t>(), std::optional<std::uint64_t>(1u << 30)}) {
    Script script;
    const Benchmark benchmark = {.name = "stalled_reader",
                                 .container = script.always_takes("a", 0.01),
                                 .peers = {script.always_takes("b", 0.01)},
                                 .max_n = 50'000};
    Comparison comparison;
    ASSERT_TRUE(compare(benchmark, 3, n, 1, &comparison).is_ok());
    EXPECT_EQ(comparison.results[0].n, 49'998u);
    for (const Script::Run& run : script.runs()) EXPECT_LE(run.request.n, 50'000u);
  }
}

Benchmark scaled(Script* script) {
  Benchmark benchmark = {.name = "read_hit", .container = script->takes("a", {9, 6, 6, 2})};
  benchmark.peers = {script->takes("b", {9, 1, 1, 1}), script->takes("c", {9, 8, 6, 10}),
                     script->takes("d", {9, 4, 4, 2})};
  benchmark.peers[1].role = Role::kOneThread;
  benchmark.peers[2].role = Role::kIndependent;
  return benchmark;
}

TEST(ContainerComparison, a_scaling_compares_with_the_one_thread_of_the_same_round) {
  Script script;
  Comparison comparison;
  ASSERT_TRUE(compare(scaled(&script), 2, 100, 3, &comparison).is_ok());
  EXPECT_EQ(script.order(), "abcdabcdabcdabcd");
  ASSERT_TRUE(comparison.scaling.has_value());
  const Ratio& shared = comparison.scaling->shared;
  EXPECT_EQ(shared.subject, "a");
  EXPECT_EQ(shared.peer, "c");
  EXPECT_DOUBLE_EQ(shared.median, 6.0 / 8);
  EXPECT_DOUBLE_EQ(shared.min, 2.0 / 10);
  EXPECT_DOUBLE_EQ(shared.max, 6.0 / 6);
  const Ratio& independent = comparison.scaling->independent;
  EXPECT_EQ(independent.subject, "d");
  EXPECT_EQ(independent.peer, "c");
  EXPECT_DOUBLE_EQ(independent.median, 4.0 / 8);
  EXPECT_DOUBLE_EQ(independent.max, 4.0 / 6);
  EXPECT_EQ(comparison.ratios.size(), 3u) << "the container's own";
}

TEST(ContainerComparison, one_thread_has_no_scaling) {
  Script script;
  Comparison comparison;
  ASSERT_TRUE(compare(scaled(&script), 1, 100, 1, &comparison).is_ok());
  EXPECT_EQ(script.order(), "abab");
  EXPECT_FALSE(comparison.scaling.has_value());
}

Contender tells(const std::string& name, double measured) {
  return {.name = name, .run = [measured](const RunRequest&, double* result) {
            *result = measured;
            return Status::ok();
          }};
}

TEST(ContainerComparison, memory_is_measured_once_and_is_that_of_an_entry) {
  Script script;
  const Benchmark benchmark = {.name = "memory",
                               .container = script.takes("a", {24}),
                               .peers = {script.takes("b", {16})},
                               .default_n = 100,
                               .measure = Measure::kBytes};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 1, std::nullopt, 3, &comparison).is_ok());
  EXPECT_EQ(script.order(), "ab");
  EXPECT_EQ(comparison.results.at(0).bytes_per_entry, 24);
  EXPECT_DOUBLE_EQ(comparison.ratios.at(0).median, 1.5);
  EXPECT_EQ(comparison.ratios[0].pairs, 1u);
  EXPECT_NE(table_rows(comparison).find(" 24.00 B |"), std::string::npos) << table_rows(comparison);

  const Json json = JsonReader::read(results_as_json({}, comparison.results, comparison.ratios));
  EXPECT_EQ(json["results"].array.at(0)["bytes_per_entry"].number, 24);
  EXPECT_EQ(json["results"].array[0].object.size(), 5u) << "no times";
  EXPECT_FALSE(json["ratios"].array.at(0).has("difference_ns"));
}

TEST(ContainerComparison, what_is_left_of_memory_is_a_percentage_without_a_ratio) {
  const Benchmark benchmark = {
      .name = "memory_erased", .container = tells("a", 2.5), .peers = {tells("b", 0)}, .measure = Measure::kPercent};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 1, 100, 3, &comparison).is_ok());
  EXPECT_EQ(comparison.results.at(0).percent_left, 2.5);
  EXPECT_EQ(comparison.results.at(1).percent_left, 0);
  EXPECT_TRUE(comparison.ratios.empty());
  EXPECT_NE(table_rows(comparison).find(" 2.50 % |"), std::string::npos) << table_rows(comparison);
  const Json json = JsonReader::read(results_as_json({}, comparison.results, comparison.ratios));
  EXPECT_EQ(json["results"].array.at(0)["percent_left"].number, 2.5);
  EXPECT_EQ(json["results"].array[0].object.size(), 5u) << "no times";
}

TEST(ContainerComparison, a_failed_run_ends_it_and_is_named) {
  for (const bool ours_fails : {false, true}) {
    Script script;
    const Benchmark benchmark = {.name = "stalled_reader",
                                 .container = ours_fails ? script.fails("a") : script.always_takes("a", 1),
                                 .peers = {script.fails("b")}};
    Comparison comparison;
    const Status status = compare(benchmark, 1, 100, 3, &comparison);
    EXPECT_NE(status.to_string().find("garbage stayed"), std::string::npos) << status.to_string();
    EXPECT_NE(status.to_string().find(ours_fails ? "stalled_reader of a" : "stalled_reader of b"), std::string::npos);
    EXPECT_TRUE(comparison.results.empty());
  }
}

TEST(ContainerTable, has_a_row_per_contender_with_ours_first) {
  Script script;
  const Benchmark benchmark = {
      .name = "enter_exit", .container = script.takes("ebr", {9, 1.5}), .peers = {script.takes("peer", {9, 6})}};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 2, 1000, 1, &comparison).is_ok());
  EXPECT_EQ(
      table_head() + table_rows(comparison),
      R"(| benchmark               | threads |           n | contender                    |     ns/op |  ratio | min to max     | difference |
|-------------------------|--------:|------------:|------------------------------|----------:|-------:|----------------|-----------:|
| enter_exit              |       2 |        1000 | ebr                          |      1.50 |        |                |            |
| enter_exit              |       2 |        1000 | peer                         |      6.00 |   0.25 | 0.25 to 0.25   |      -4.50 |
)");
}

TEST(ContainerTable, shows_a_scaling_as_throughput_over_that_of_one_thread) {
  Script script;
  Comparison comparison;
  ASSERT_TRUE(compare(scaled(&script), 2, 100, 3, &comparison).is_ok());
  EXPECT_EQ(
      scaling_table(std::vector{*comparison.scaling}),
      R"(| benchmark               | container        | threads |    scaling | min to max     | independent | min to max     |
|-------------------------|------------------|--------:|-----------:|----------------|------------:|----------------|
| read_hit                | a                |       2 |       1.33 | 1.00 to 5.00   |        2.00 | 1.50 to 5.00   |
)");
}

TEST(ContainerJson, holds_the_difference_beside_the_ratio) {
  Script script;
  const Benchmark benchmark = {
      .name = "enter_exit", .container = script.takes("ebr", {9, 1.5}), .peers = {script.takes("peer", {9, 6})}};
  Comparison comparison;
  ASSERT_TRUE(compare(benchmark, 1, 1000, 1, &comparison).is_ok());
  const Json json = JsonReader::read(results_as_json({}, comparison.results, comparison.ratios));
  EXPECT_EQ(json["ratios"].array.at(0)["difference_ns"].number, -4.5);
  EXPECT_FALSE(json["results"].array.at(0).has("p50_us")) << "what was not measured is absent";
}

TEST(TimedThreads, all_prepare_before_any_starts_and_are_gone_afterwards) {
  constexpr unsigned kThreads = 5;  // more than there may be cores
  std::atomic<unsigned> prepared{0};
  std::atomic<unsigned> saw_all{0};
  std::atomic<unsigned> cleared_up{0};
  const double nanoseconds = run_on_threads(kThreads, [&](Lap& lap) {
    prepared.fetch_add(1);
    lap.start();
    if (prepared.load() == kThreads) saw_all.fetch_add(1);
    lap.stop();
    cleared_up.fetch_add(1);
  });
  EXPECT_EQ(saw_all.load(), kThreads);
  EXPECT_EQ(cleared_up.load(), kThreads);
  EXPECT_GT(nanoseconds, 0);
}

TEST(TimedThreads, a_loop_gets_its_threads_share_of_the_operations) {
  static std::atomic<std::uint64_t> done{0};
  done = 0;
  struct Nothing {};
  const RunFunction run = loop_on_threads<Nothing>([](std::uint64_t operations) { done.fetch_add(operations); });
  double nanoseconds = 0;
  ASSERT_TRUE(run({.threads = 3, .n = 300}, &nanoseconds).is_ok());
  EXPECT_EQ(done.load(), 303u) << "one by each thread before it starts";
}

}  // namespace
}  // namespace scree::bench
