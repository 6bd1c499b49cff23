// SPDX-License-Identifier: Apache-2.0
//
// Runs container_bench from end to end, on real containers and few operations.

#include <map>
#include <set>

#include "json_reader.h"
#include "program_run.h"

namespace scree::bench {
namespace {

class ContainerBench : public ProgramRun {
 protected:
  Outcome run(const std::string& arguments) const { return run_program(CONTAINER_BENCH_PROGRAM, arguments); }

  // Runs with --json and gives the document; nothing if it failed.
  Json run_for_json(const std::string& arguments) {
    const std::filesystem::path path = directory_ / "out.json";
    outcome_ = run(arguments + " --json='" + path.string() + "'");
    EXPECT_EQ(outcome_.exit_code, 0) << outcome_.errors;
    return outcome_.exit_code == 0 ? JsonReader::read(read_file(path)) : Json{};
  }

  Outcome outcome_;
};

// Those that are compiled in everywhere.
const std::map<std::string, std::set<std::string>> kPeersOf = {
    {"enter_exit", {"release_store", "ebr_fenced"}},
    {"nested_enter_exit", {"release_store", "ebr_fenced"}},
    {"allocate_publish_retire", {"malloc_free"}},
    {"allocate_swap_drop", {"malloc_free"}},
    {"stalled_reader", {"no_stalled_reader", "malloc_keep"}},
    {"stalled_reader_95_5", {"no_stalled_reader"}},
};

TEST_F(ContainerBench, runs_every_benchmark_of_ebr_and_reports_what_the_contract_asks_for) {
  const Json json = run_for_json("--containers=ebr --n=3000 --reps=2 --threads=1,2,5");
  for (const char* fact : {"cpu", "cores", "compiler", "flags", "scree", "malloc_free"}) {
    EXPECT_TRUE(json["machine"].has(fact)) << fact;
  }

  std::map<std::string, std::set<std::string>> subjects;
  for (const Json& result : json["results"].array) {
    EXPECT_EQ(result.object.size(), 6u);
    subjects[result["benchmark"].string].insert(result["subject"].string);
    const double threads = result["threads"].number;
    EXPECT_TRUE(threads == 1 || threads == 2 || threads == 5) << threads;
    EXPECT_EQ(result["n"].number, 3000);
    EXPECT_GT(result["ops_per_second"].number, 0);
    EXPECT_GT(result["ns_per_op"].number, 0);
  }
  std::map<std::string, std::set<std::string>> peers;
  for (const Json& ratio : json["ratios"].array) {
    EXPECT_EQ(ratio.object.size(), 10u);
    EXPECT_EQ(ratio["subject"].string, "ebr");
    peers[ratio["benchmark"].string].insert(ratio["peer"].string);
    EXPECT_EQ(ratio["n"].number, 3000);
    EXPECT_EQ(ratio["pairs"].number, 2);
    EXPECT_GT(ratio["ratio_min"].number, 0);
    EXPECT_LE(ratio["ratio_min"].number, ratio["ratio"].number);
    EXPECT_LE(ratio["ratio"].number, ratio["ratio_max"].number);
    EXPECT_EQ(ratio["difference_ns"].kind, Json::Kind::kNumber);
  }
  for (const auto& [benchmark, expected] : kPeersOf) {
    EXPECT_TRUE(subjects[benchmark].contains("ebr")) << benchmark;
    for (const std::string& peer : expected) {
      EXPECT_TRUE(subjects[benchmark].contains(peer)) << benchmark << " " << peer;
      EXPECT_TRUE(peers[benchmark].contains(peer)) << benchmark << " " << peer;
      EXPECT_NE(outcome_.output.find("| " + peer + " "), std::string::npos) << outcome_.output;
    }
  }
  EXPECT_EQ(subjects.size(), kPeersOf.size());
}

TEST_F(ContainerBench, liburcu_is_a_peer_or_said_to_be_missing) {
  const Json json = run_for_json("--n=3000 --reps=1 --threads=1 --benchmarks=enter_exit --peers=urcu_memb");
  const bool compiled_in = json["machine"].has("urcu_memb");
  EXPECT_EQ(json["ratios"].array.size(), compiled_in ? 1u : 0u);
  EXPECT_EQ(json["results"].array.size(), compiled_in ? 2u : 1u);
  EXPECT_EQ(outcome_.lines_of("urcu_memb").size(), 1u) << "its version, or that it is skipped";
  EXPECT_EQ(outcome_.output.find("urcu_memb: skipped (not compiled in: liburcu-dev") != std::string::npos,
            !compiled_in);
}

TEST_F(ContainerBench, hands_numbers_over_through_a_stack) {
  const Json json = run_for_json("--containers=stack --n=3000 --reps=2 --threads=1,2,5 --peers=boost_stack");
  const bool compiled_in = json["machine"].has("boost_stack");
  EXPECT_EQ(outcome_.output.find("boost_stack: skipped (not compiled in: libboost-dev") != std::string::npos,
            !compiled_in);
  std::map<std::string, std::set<double>> threads;
  for (const Json& result : json["results"].array) {
    if (result["subject"].string == "stack") threads[result["benchmark"].string].insert(result["threads"].number);
  }
  EXPECT_EQ(threads["push_pop"], (std::set<double>{1, 2, 5}));
  EXPECT_EQ(threads["one_to_one"], (std::set<double>{2})) << "whatever was asked for";
  EXPECT_EQ(json["ratios"].array.size(), compiled_in ? 4u : 0u);
}

TEST_F(ContainerBench, compares_maps_of_numbers_and_of_bytes) {
  const Json json = run_for_json("--containers=tree_index,tree_index_bytes --n=3000 --reps=1 --threads=1,2");
  const bool has_absl = json["machine"].has("absl_btree_map"), has_tbb = json["machine"].has("tbb_map");
  std::map<std::string, std::set<std::string>> at_1_thread, at_2_threads;
  for (const Json& result : json["results"].array) {
    auto& subjects = result["threads"].number == 1 ? at_1_thread : at_2_threads;
    subjects[result["benchmark"].string].insert(result["subject"].string);
  }
  for (const char* benchmark :
       {"insert_random", "insert_ascending", "read_hit", "read_miss", "scan_100", "scan_all", "erase"}) {
    for (const std::string bytes : {"", "_bytes"}) {
      EXPECT_TRUE(at_1_thread[benchmark].contains("tree_index" + bytes)) << benchmark;
      EXPECT_TRUE(at_2_threads[benchmark].contains("tree_index" + bytes)) << benchmark;
      EXPECT_EQ(at_1_thread[benchmark].contains("absl_btree_map" + bytes), has_absl) << benchmark;
      EXPECT_FALSE(at_2_threads[benchmark].contains("absl_btree_map" + bytes)) << "it is for one thread alone";
      EXPECT_EQ(at_2_threads[benchmark].contains("tbb_map" + bytes), has_tbb && benchmark != std::string("erase"));
    }
  }
}

TEST_F(ContainerBench, shows_how_a_map_scales_and_how_independent_ones_do) {
  const Json json = run_for_json(
      "--containers=tree_index --benchmarks=insert_random,read_hit,scan_100,scan_all,erase --n=3000 --reps=1 "
      "--threads=1,3 --peers=tree_index_1_thread,tree_index_independent");
  std::map<std::string, std::set<std::string>> pairs;
  for (const Json& ratio : json["ratios"].array) {
    EXPECT_EQ(ratio["threads"].number, 3);
    pairs[ratio["benchmark"].string].insert(ratio["subject"].string + " / " + ratio["peer"].string);
  }
  EXPECT_EQ(pairs.size(), 5u);
  for (const auto& [benchmark, those] : pairs) {
    EXPECT_EQ(those, (std::set<std::string>{"tree_index / tree_index_1_thread", "tree_index / tree_index_independent",
                                            "tree_index_independent / tree_index_1_thread"}))
        << benchmark;
  }
  EXPECT_NE(outcome_.output.find(" scaling |"), std::string::npos) << outcome_.output;
}

TEST_F(ContainerBench, measures_the_memory_of_maps) {
  const Json json = run_for_json(
      "--containers=tree_index,tree_index_bytes --benchmarks=memory,memory_ascending,memory_erased --n=100000 "
      "--reps=5 --threads=1,2");
  const bool has_absl = json["machine"].has("absl_btree_map");
  std::set<std::string> seen;
  for (const Json& result : json["results"].array) {
    const std::string benchmark = result["benchmark"].string, subject = result["subject"].string;
    EXPECT_TRUE(seen.insert(benchmark + " " + subject).second) << "once, whatever --reps and --threads say";
    if (benchmark == "memory_erased") {
      EXPECT_GE(result["percent_left"].number, 0);
      EXPECT_LE(result["percent_left"].number, 10) << subject << ": pages that hold a node count as a whole";
    } else {
      // A chunk of the arena that is not used up counts as a whole.
      const double content = subject.ends_with("_bytes") ? 116 : 16;
      EXPECT_GE(result["bytes_per_entry"].number, content) << benchmark << " of " << subject;
      EXPECT_LE(result["bytes_per_entry"].number, 4 * content + 42) << benchmark << " of " << subject;
    }
  }
  for (const char* benchmark : {"memory ", "memory_ascending ", "memory_erased "}) {
    for (const char* bytes : {"", "_bytes"}) {
      EXPECT_TRUE(seen.contains(benchmark + std::string("tree_index") + bytes)) << benchmark;
      EXPECT_EQ(seen.contains(benchmark + std::string("absl_btree_map") + bytes), has_absl) << benchmark;
    }
  }
}

TEST_F(ContainerBench, a_ratio_is_our_time_over_the_peers) {
  const Json json = run_for_json("--n=30000 --reps=1 --threads=1 --benchmarks=enter_exit --peers=release_store");
  ASSERT_EQ(json["ratios"].array.size(), 1u);
  const double ours = json["results"].array.at(0)["ns_per_op"].number;
  const double peers = json["results"].array.at(1)["ns_per_op"].number;
  EXPECT_EQ(json["results"].array[0]["subject"].string, "ebr");
  EXPECT_EQ(json["results"].array[1]["subject"].string, "release_store");
  EXPECT_NEAR(json["ratios"].array[0]["ratio"].number, ours / peers, ours / peers * 1e-4);
}

TEST_F(ContainerBench, runs_a_container_alone) {
  const Json json = run_for_json("--n=3000 --reps=1 --threads=1 --benchmarks=nested_enter_exit --peers=");
  EXPECT_EQ(json["results"].array.size(), 1u);
  EXPECT_TRUE(json["ratios"].array.empty());
}

TEST_F(ContainerBench, a_wrong_name_or_number_is_exit_code_2_and_nothing_runs) {
  for (const auto& [argument, word] : std::map<std::string, std::string>{{"--containers=nosuch", "ebr"},
                                                                         {"--peers=nosuch", "urcu_memb"},
                                                                         {"--benchmarks=nosuch", "nested_enter_exit"},
                                                                         {"--threads=0", "1024"},
                                                                         {"--n=0", "from 1"}}) {
    const Outcome outcome = run(argument);
    EXPECT_EQ(outcome.exit_code, 2) << argument;
    EXPECT_NE(outcome.errors.find(word), std::string::npos) << argument << ": " << outcome.errors;
    EXPECT_EQ(outcome.output, "") << argument;
  }
}

TEST_F(ContainerBench, a_json_file_that_cannot_be_written_is_told_before_measuring) {
  const Outcome outcome = run("--json='" + (directory_ / "missing" / "x.json").string() + "'");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.errors.find("cannot write"), std::string::npos) << outcome.errors;
  EXPECT_EQ(outcome.output, "");
}

TEST_F(ContainerBench, help_names_flags_containers_peers_and_benchmarks) {
  const Outcome outcome = run("--help");
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* word : {"-containers", "-peers", "-benchmarks", "-threads", "-reps", "-json", "ebr_fenced",
                           "allocate_publish_retire"}) {
    EXPECT_NE(outcome.output.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace scree::bench
