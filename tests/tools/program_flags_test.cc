// SPDX-License-Identifier: Apache-2.0
//
// What db_bench says about a command line that it cannot do.

#include "program.h"

namespace scree::bench {
namespace {

class ProgramFlags : public Program {
 protected:
  // Refused with 1 or 2, a message that holds `words`, and nothing created.
  void expect_refused(const std::string& arguments, const std::vector<std::string>& words) {
    const Outcome outcome = run(arguments);
    EXPECT_TRUE(outcome.exit_code == 1 || outcome.exit_code == 2) << arguments << ": " << outcome.exit_code;
    for (const std::string& word : words) {
      EXPECT_NE(outcome.errors.find(word), std::string::npos) << arguments << ": " << outcome.errors;
    }
    EXPECT_EQ(outcome.output, "") << arguments;
    EXPECT_FALSE(std::filesystem::exists(db())) << arguments;
  }
};

TEST_F(ProgramFlags, an_unknown_benchmark_is_refused_with_the_known_ones) {
  for (const char* list : {"nosuch", "fillseq,nosuch", "fillseq,,nosuch"}) {
    expect_refused(std::string("--num=10 --benchmarks=") + list, {"fillseq", "readwhilewriting", "deleterandom"});
  }
}

TEST_F(ProgramFlags, an_unknown_engine_is_refused_with_the_known_ones) {
  expect_refused("--num=10 --engine=nosuch", {"scree", "scree_hash", "rocksdb", "nosuch"});
  expect_refused("--num=10 --compare=nosuch", {"scree", "scree_hash", "rocksdb", "nosuch"});
}

TEST_F(ProgramFlags, an_unknown_compression_is_refused_with_the_known_ones) {
  expect_refused("--num=10 --compression_type=nosuch", {"none", "lz4", "nosuch"});
}

TEST_F(ProgramFlags, an_engine_is_not_compared_with_itself) {
  expect_refused("--num=10 --engine=rocksdb --compare=rocksdb", {"--compare", "another engine"});
}

TEST_F(ProgramFlags, a_comparison_does_not_take_an_existing_store) {
  expect_refused("--num=10 --engine=scree --compare=rocksdb --use_existing_db", {"--use_existing_db"});
}

TEST_F(ProgramFlags, an_unknown_flag_or_a_stray_word_is_refused) {
  expect_refused("--nosuch=1", {"nosuch"});
  expect_refused("fillseq", {"fillseq"});
}

TEST_F(ProgramFlags, a_number_out_of_range_is_refused_with_the_range) {
  for (const char* flag : {"num=0", "num=-1", "reads=0", "writes=-2", "threads=0", "pairs=0", "duration=-1",
                           "key_size=0", "key_size=65536", "value_size=-1", "batch_size=0", "seek_nexts=-2", "seed=-1",
                           "write_buffer_size=1", "cache_size=-1", "bloom_bits=-1", "benchmark_write_rate_limit=-1"}) {
    const std::string name = std::string(flag).substr(0, std::string(flag).find('='));
    expect_refused(std::string("--") + flag, {"--" + name, "from"});
  }
  expect_refused("--compression_ratio=0", {"--compression_ratio"});
  expect_refused("--compression_ratio=1.5", {"--compression_ratio"});
  expect_refused("--compression_ratio=nan", {"--compression_ratio"});
  expect_refused("--key_size=1 --num=257", {"--key_size"});
  expect_refused("--batch_size=1000000000", {"--batch_size"});
}

TEST_F(ProgramFlags, text_for_a_number_is_refused) { expect_refused("--num=many", {"many"}); }

TEST_F(ProgramFlags, a_json_file_that_cannot_be_written_is_told_before_measuring) {
  expect_refused("--num=10 --engine=rocksdb --json='" + (directory_ / "missing" / "x.json").string() + "'",
                 {"cannot write"});
}

TEST_F(ProgramFlags, an_existing_store_that_is_not_there_is_refused) {
  const Outcome outcome = run("--num=10 --engine=rocksdb --benchmarks=readrandom --use_existing_db");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.errors.find("there is no store"), std::string::npos) << outcome.errors;
  EXPECT_FALSE(std::filesystem::exists(db()));
}

TEST_F(ProgramFlags, a_database_directory_that_is_a_file_is_refused) {
  std::ofstream(db()) << "precious";
  for (const char* engine : {"scree", "rocksdb"}) {
    const Outcome outcome = run("--num=10 --benchmarks=fillseq --engine=" + std::string(engine));
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.errors.find(db().string()), std::string::npos) << outcome.errors;
    EXPECT_EQ(read_file(db()), "precious");
  }
}

TEST_F(ProgramFlags, help_names_the_flags_and_succeeds) {
  const Outcome outcome = run("--help");
  EXPECT_EQ(outcome.exit_code, 0);
  for (const char* flag :
       {"-benchmarks", "-engine", "-compare", "-pairs", "-json", "-num", "-benchmark_write_rate_limit"}) {
    EXPECT_NE(outcome.output.find(flag), std::string::npos) << flag;
  }
}

}  // namespace
}  // namespace scree::bench
