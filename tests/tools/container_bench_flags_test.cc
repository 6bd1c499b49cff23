// SPDX-License-Identifier: Apache-2.0
//
// What container_bench makes of a command line, with contenders of the test's own.

#include <string>
#include <vector>

#include <gflags/gflags.h>
#include <gtest/gtest.h>

#include "flags.h"

namespace scree::bench {
namespace {

Contender nothing(std::string name) {
  return {.name = std::move(name), .run = [](const RunRequest&, double*) { return Status::ok(); }};
}

Registry two_containers() {
  Registry registry;
  registry.add({.name = "push_pop", .container = nothing("queue")});
  registry.add({.name = "read_hit", .container = nothing("index")});
  registry.add({.name = "erase", .container = nothing("index")});
  registry.add_peer("std_map", {});
  registry.add_side("index", "read_hit", nothing("std_map"));
  registry.add_side("index", "erase", nothing("std_map"));
  registry.add_peer("fast_map", "libfast 1.2");
  registry.add_side("index", "read_hit", nothing("fast_map"));
  registry.add_absent_peer("other_map", "libother-dev");
  return registry;
}

class ContainerFlags : public testing::Test {
 protected:
  Status parse(std::vector<std::string> arguments, const Registry& registry = two_containers()) {
    config_ = {};
    const gflags::FlagSaver restored_at_the_end;
    arguments.insert(arguments.begin(), "container_bench");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    return parse_command_line(static_cast<int>(arguments.size()), argv.data(), registry, &config_);
  }

  // "index read_hit: std_map fast_map; …"
  std::string selected() const {
    std::string text;
    for (const Benchmark& benchmark : config_.benchmarks) {
      text += benchmark.container.name + " " + benchmark.name + ":";
      for (const Contender& peer : benchmark.peers) text += " " + peer.name;
      text += "; ";
    }
    return text;
  }

  void expect_refused(const std::string& argument, const std::vector<std::string>& words) {
    const Status status = parse({argument});
    EXPECT_TRUE(status.is_invalid_argument()) << argument << ": " << status.to_string();
    for (const std::string& word : words) {
      EXPECT_NE(status.to_string().find(word), std::string::npos) << argument << ": " << status.to_string();
    }
  }

  Config config_;
};

TEST_F(ContainerFlags, everything_runs_if_nothing_is_named) {
  ASSERT_TRUE(parse({}).is_ok());
  EXPECT_EQ(selected(), "queue push_pop:; index read_hit: std_map fast_map; index erase: std_map; ");
  EXPECT_EQ(config_.threads, (std::vector<unsigned>{1, 2}));
  EXPECT_FALSE(config_.n.has_value());
  EXPECT_GT(config_.reps, 1u);
  EXPECT_TRUE(config_.json_path.empty());
}

TEST_F(ContainerFlags, what_is_named_runs_in_the_order_of_the_registry) {
  ASSERT_TRUE(parse({"--containers=index", "--benchmarks=erase,push_pop,read_hit", "--peers=fast_map", "--threads=4,1",
                     "--n=1000", "--reps=3", "--json=out.json"})
                  .is_ok());
  EXPECT_EQ(selected(), "index read_hit: fast_map; index erase:; ");
  EXPECT_EQ(config_.threads, (std::vector<unsigned>{4, 1}));
  EXPECT_EQ(config_.n, 1000u);
  EXPECT_EQ(config_.reps, 3u);
  EXPECT_EQ(config_.json_path, "out.json");
}

TEST_F(ContainerFlags, memory_is_measured_first) {
  Registry registry = two_containers();
  registry.add({.name = "memory", .container = nothing("index"), .measure = Measure::kBytes});
  ASSERT_TRUE(parse({"--peers="}, registry).is_ok());
  EXPECT_EQ(selected(), "index memory:; queue push_pop:; index read_hit:; index erase:; ");
}

TEST_F(ContainerFlags, no_peers_is_a_choice) {
  ASSERT_TRUE(parse({"--peers="}).is_ok());
  EXPECT_EQ(selected(), "queue push_pop:; index read_hit:; index erase:; ");
  EXPECT_TRUE(config_.skipped.empty());
}

TEST_F(ContainerFlags, a_peer_that_is_not_compiled_in_is_skipped_with_a_line) {
  const std::vector<std::string> line = {
      "other_map: skipped (not compiled in: libother-dev was not found; tools/peers installs it)"};
  ASSERT_TRUE(parse({}).is_ok());
  EXPECT_EQ(config_.skipped, line);
  ASSERT_TRUE(parse({"--peers=other_map"}).is_ok());
  EXPECT_EQ(config_.skipped, line);
  EXPECT_EQ(selected(), "queue push_pop:; index read_hit:; index erase:; ") << "the containers run without it";
  ASSERT_TRUE(parse({"--peers=std_map"}).is_ok());
  EXPECT_TRUE(config_.skipped.empty()) << "nobody asked for it";
}

TEST_F(ContainerFlags, an_unknown_name_is_refused_with_the_known_ones) {
  for (const char* list : {"nosuch", "index,nosuch", "index,", ",index", ""}) {
    expect_refused(std::string("--containers=") + list, {"--containers", "queue", "index"});
  }
  for (const char* list : {"nosuch", "erase,nosuch", "erase,,erase", ""}) {
    expect_refused(std::string("--benchmarks=") + list, {"--benchmarks", "push_pop", "read_hit", "erase"});
  }
  for (const char* list : {"nosuch", "std_map,nosuch", "index"}) {
    expect_refused(std::string("--peers=") + list, {"--peers", "std_map", "fast_map", "other_map"});
  }
}

TEST_F(ContainerFlags, a_benchmark_that_no_container_named_has_is_refused) {
  const Status status = parse({"--containers=queue", "--benchmarks=erase"});
  EXPECT_TRUE(status.is_invalid_argument()) << status.to_string();
}

TEST_F(ContainerFlags, threads_are_positive_numbers_with_commas_between) {
  for (const char* list : {"0", "1,0", "-1", "1025", "two", "1,2x", "1;2", "1,", "", "99999999999999"}) {
    expect_refused(std::string("--threads=") + list, {"--threads", "from 1 to 1024"});
  }
}

TEST_F(ContainerFlags, a_number_out_of_range_is_refused_with_the_range) {
  for (const char* flag : {"--n=0", "--n=-2", "--n=9999999999999", "--reps=0", "--reps=-1"}) {
    expect_refused(flag, {std::string(flag).substr(0, std::string(flag).find('=')), "from 1 to"});
  }
}

TEST_F(ContainerFlags, a_stray_word_is_refused) { expect_refused("erase", {"only flags", "erase"}); }

}  // namespace
}  // namespace scree::bench
