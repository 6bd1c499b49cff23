// SPDX-License-Identifier: Apache-2.0
//
// What db_bench prints and leaves when all goes well.

#include <map>
#include <regex>
#include <set>

#include "json_reader.h"
#include "program.h"

namespace scree::bench {
namespace {

const std::vector<std::string> kBenchmarks = {
    "fillseq", "fillbatch",   "fillsync",   "fillrandom",   "overwrite",        "readrandom",  "readmissing",
    "readseq", "readreverse", "seekrandom", "updaterandom", "readwhilewriting", "deleterandom"};

// The line that scripts parse, as RocksDB's db_bench prints it.
const std::regex kResultLine(R"((\S+) *: +[0-9]+\.[0-9]{3} micros/op [0-9]+ ops/sec [0-9]+\.[0-9]{3} seconds )"
                             R"(([0-9]+) operations; +[0-9]+\.[0-9] MB/s( \([0-9]+ of [0-9]+ found\)|)"
                             R"( \( updates:[0-9]+ found:[0-9]+\))?)");

// Operations by benchmark, of all result lines.
std::map<std::string, std::uint64_t> operations_of(const Outcome& outcome) {
  std::map<std::string, std::uint64_t> operations;
  for (const std::string& line : outcome.lines()) {
    std::smatch match;
    if (std::regex_match(line, match, kResultLine)) operations[match[1]] = std::stoull(match[2]);
  }
  return operations;
}

class EveryEngine : public Program, public testing::WithParamInterface<const char*> {
 protected:
  std::string engine() const { return GetParam(); }
  bool is_ordered() const { return engine() != "scree_hash"; }
};

INSTANTIATE_TEST_SUITE_P(, EveryEngine, testing::Values("scree", "scree_hash", "rocksdb"),
                         [](const auto& engine) { return std::string(engine.param); });

TEST_P(EveryEngine, runs_every_benchmark_and_prints_rocksdbs_result_line) {
  const Outcome outcome = run("--num=1000 --seek_nexts=5 --engine=" + engine());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto operations = operations_of(outcome);
  for (const std::string& name : kBenchmarks) {
    const bool is_skipped = !is_ordered() && (name == "seekrandom" || name == "readreverse");
    const std::vector<std::string> lines = outcome.lines_of(name);
    ASSERT_EQ(lines.size(), 1u) << name << "\n" << outcome.output;
    if (is_skipped) {
      EXPECT_NE(lines[0].find("skipped (scree_hash has no order)"), std::string::npos) << lines[0];
    } else {
      EXPECT_TRUE(std::regex_match(lines[0], kResultLine)) << lines[0];
    }
  }
  EXPECT_EQ(operations.at("fillseq"), 1000u);
  EXPECT_EQ(operations.at("fillsync"), 1000u);
  EXPECT_EQ(operations.at("readrandom"), 1000u);
  EXPECT_TRUE(operations.contains("readwhilewriting_writer"));
  EXPECT_NE(outcome.lines_of("readmissing")[0].find("(0 of 1000 found)"), std::string::npos);
}

TEST_P(EveryEngine, finds_what_it_wrote_also_after_reopening) {
  ASSERT_EQ(run("--num=1000 --benchmarks=fillseq --engine=" + engine()).exit_code, 0);
  const Outcome outcome =
      run("--num=1000 --benchmarks=fillrandom,readrandom,readseq --use_existing_db --engine=" + engine());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_NE(outcome.lines_of("fillrandom")[0].find("skipped (--use_existing_db is true)"), std::string::npos);
  EXPECT_NE(outcome.lines_of("readrandom")[0].find("(1000 of 1000 found)"), std::string::npos) << outcome.output;
  EXPECT_EQ(operations_of(outcome).at("readseq"), 1000u);
}

TEST_P(EveryEngine, a_fill_starts_afresh_and_the_others_use_what_is_there) {
  const Outcome fills = run("--num=1000 --benchmarks=fillseq,fillrandom,readseq --engine=" + engine());
  ASSERT_EQ(fills.exit_code, 0) << fills.errors;
  const std::uint64_t entries = operations_of(fills).at("readseq");
  EXPECT_TRUE(entries > 500 && entries < 750) << "1000 draws of 1000 keys: " << fills.output;

  const Outcome others = run("--num=1000 --benchmarks=fillseq,overwrite,readrandom --engine=" + engine());
  ASSERT_EQ(others.exit_code, 0) << others.errors;
  EXPECT_NE(others.lines_of("readrandom")[0].find("(1000 of 1000 found)"), std::string::npos) << others.output;

  const Outcome empty = run("--num=1000 --benchmarks=readrandom --engine=" + engine());
  ASSERT_EQ(empty.exit_code, 0) << empty.errors;
  EXPECT_NE(empty.lines_of("readrandom")[0].find("(0 of 1000 found)"), std::string::npos) << empty.output;
}

TEST_P(EveryEngine, takes_threads_batches_sync_and_small_buffers) {
  const Outcome outcome =
      run("--num=2000 --threads=2 --batch_size=10 --write_buffer_size=65536 --compression_type=none "
          "--bloom_bits=0 --value_size=400 --benchmarks=fillrandom,fillseq,readrandom,deleterandom --engine=" +
          engine());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const auto operations = operations_of(outcome);
  for (const char* name : {"fillrandom", "fillseq", "readrandom", "deleterandom"})
    EXPECT_EQ(operations.at(name), 4000u);
  EXPECT_NE(outcome.lines_of("readrandom")[0].find("(4000 of 4000 found)"), std::string::npos) << outcome.output;

  const Outcome synced = run("--num=20 --sync --benchmarks=fillseq,readrandom --engine=" + engine());
  ASSERT_EQ(synced.exit_code, 0) << synced.errors;
  EXPECT_NE(synced.lines_of("readrandom")[0].find("(20 of 20 found)"), std::string::npos) << synced.output;
}

TEST_P(EveryEngine, removes_nothing_but_its_own_stores) {
  std::filesystem::create_directory(db());
  std::ofstream(db() / "precious") << "kept";
  ASSERT_EQ(run("--num=100 --benchmarks=fillseq,fillrandom --engine=" + engine()).exit_code, 0);
  EXPECT_EQ(read_file(db() / "precious"), "kept");
}

TEST_P(EveryEngine, writes_results_and_latencies_as_json) {
  const std::filesystem::path path = directory_ / "out.json";
  const Outcome outcome = run("--num=1000 --benchmarks=fillrandom,readrandom,readwhilewriting --json='" +
                              path.string() + "' --engine=" + engine());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const Json json = JsonReader::read(read_file(path));
  EXPECT_TRUE(json["machine"].has("cpu"));
  EXPECT_TRUE(json["machine"].has("compiler"));
  EXPECT_TRUE(json["machine"].has(engine())) << "the engine's version";
  EXPECT_TRUE(json["ratios"].array.empty());
  ASSERT_EQ(json["results"].array.size(), 4u);
  for (const Json& result : json["results"].array) {
    EXPECT_EQ(result["subject"].string, engine());
    EXPECT_EQ(result["n"].number, 1000);
    EXPECT_EQ(result["threads"].number, 1);
    EXPECT_GT(result["ops_per_second"].number, 0);
    EXPECT_GT(result["ns_per_op"].number, 0);
  }
  const Json& read = json["results"].array[1];
  EXPECT_GT(read["p50_us"].number, 0);
  EXPECT_LE(read["p50_us"].number, read["p99_us"].number);
  EXPECT_LE(read["p99_us"].number, read["p999_us"].number);
}

TEST_F(Program, prints_percentiles_when_a_histogram_is_asked_for) {
  const Outcome outcome = run("--num=1000 --engine=rocksdb --benchmarks=fillseq,readrandom --histogram");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  EXPECT_NE(outcome.output.find("Microseconds of readrandom, 58 timed:"), std::string::npos) << outcome.output;
  EXPECT_NE(outcome.output.find("P99.9:"), std::string::npos) << outcome.output;
}

TEST_F(Program, names_a_rocksdb_by_version_and_states_its_options) {
  const Outcome outcome = run("--num=10 --engine=rocksdb --benchmarks=fillseq");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  ASSERT_EQ(outcome.lines_of("rocksdb").size(), 1u) << outcome.output;
  EXPECT_TRUE(std::regex_search(outcome.lines_of("rocksdb")[0], std::regex(R"([0-9]+\.[0-9]+\.[0-9]+)")));
  const std::string options = outcome.lines_of("rocksdb_options").at(0);
  for (const char* option : {"enable_pipelined_write=true", "allow_concurrent_memtable_write=true", "bloom_bits=10",
                             "compression=lz4", "write_buffer_size=67108864"}) {
    EXPECT_NE(options.find(option), std::string::npos) << options;
  }
}

class Comparison : public Program {
 protected:
  // Both sides of every benchmark in the JSON, a ratio for each, the pairs as asked for.
  void expect_complete(const Json& json, const std::string& engine, const std::set<std::string>& benchmarks) {
    std::set<std::string> seen;
    for (const Json& ratio : json["ratios"].array) {
      seen.insert(ratio["benchmark"].string);
      EXPECT_EQ(ratio["subject"].string, engine);
      EXPECT_EQ(ratio["peer"].string, "rocksdb");
      EXPECT_EQ(ratio["pairs"].number, 2);
      EXPECT_GT(ratio["ratio_min"].number, 0);
      EXPECT_LE(ratio["ratio_min"].number, ratio["ratio"].number);
      EXPECT_LE(ratio["ratio"].number, ratio["ratio_max"].number);
    }
    EXPECT_EQ(seen, benchmarks);
    EXPECT_EQ(json["results"].array.size(), 2 * benchmarks.size());
    for (const char* name : {"rocksdb", "rocksdb_options"}) EXPECT_TRUE(json["machine"].has(name)) << name;
    EXPECT_TRUE(json["machine"].has(engine));
  }
};

TEST_F(Comparison, runs_every_benchmark_on_both_sides_and_removes_its_stores) {
  const std::filesystem::path path = directory_ / "out.json";
  const Outcome outcome = run("--num=1000 --compare=rocksdb --pairs=2 --json='" + path.string() + "'");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  std::set<std::string> expected(kBenchmarks.begin(), kBenchmarks.end());
  expected.insert("readwhilewriting_writer");
  expect_complete(JsonReader::read(read_file(path)), "scree", expected);
  for (const std::string& name : expected) {
    EXPECT_NE(outcome.output.find("\n| " + name + " "), std::string::npos) << name << "\n" << outcome.output;
  }
  EXPECT_NE(outcome.errors.find("warm-up"), std::string::npos) << "progress";
  EXPECT_TRUE(std::filesystem::is_empty(db()));
}

TEST_F(Comparison, shows_both_sides_the_same_keys) {
  const Outcome outcome = run("--num=1000 --compare=rocksdb --pairs=2 --benchmarks=readrandom,seekrandom,updaterandom");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  // What was found, by side: the counts of both must be the same in each round.
  std::map<std::string, std::vector<std::string>> found;
  const std::regex progress(R"((\S+) +(scree|rocksdb) +\S+ *: .* MB/s (\(.*\)))");
  std::istringstream lines(outcome.errors);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, match, progress)) found[match[2]].push_back(match[3]);
  }
  EXPECT_EQ(found["scree"].size(), 9u) << outcome.errors;
  EXPECT_EQ(found["scree"], found["rocksdb"]) << outcome.errors;
}

TEST_F(Comparison, a_ratio_is_our_throughput_over_the_peers) {
  const std::filesystem::path path = directory_ / "out.json";
  const Outcome outcome = run("--num=1000 --compare=rocksdb --pairs=1 --benchmarks=fillseq,readwhilewriting --json='" +
                              path.string() + "'");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  const Json json = JsonReader::read(read_file(path));
  ASSERT_EQ(json["ratios"].array.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& ours = json["results"].array.at(2 * i);
    const Json& peer = json["results"].array.at(2 * i + 1);
    const Json& ratio = json["ratios"].array[i];
    EXPECT_EQ(ours["subject"].string, "scree");
    EXPECT_EQ(peer["subject"].string, "rocksdb");
    for (const Json* side : {&ours, &peer}) EXPECT_EQ((*side)["benchmark"].string, ratio["benchmark"].string);
    const double expected = ours["ops_per_second"].number / peer["ops_per_second"].number;
    EXPECT_NEAR(ratio["ratio"].number, expected, expected * 1e-4);
    EXPECT_EQ(ratio["ratio_min"].number, ratio["ratio_max"].number);
  }
}

TEST_F(Comparison, skips_what_one_side_cannot_do) {
  const std::filesystem::path path = directory_ / "out.json";
  const Outcome outcome =
      run("--num=1000 --engine=scree_hash --compare=rocksdb --pairs=2 --benchmarks=readreverse,readrandom "
          "--json='" +
          path.string() + "'");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.errors;
  ASSERT_EQ(outcome.lines_of("readreverse").size(), 1u) << outcome.output;
  EXPECT_NE(outcome.lines_of("readreverse")[0].find("scree_hash has no order"), std::string::npos);
  expect_complete(JsonReader::read(read_file(path)), "scree_hash", {"readrandom"});
}

}  // namespace
}  // namespace scree::bench
