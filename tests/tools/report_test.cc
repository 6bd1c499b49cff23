// SPDX-License-Identifier: Apache-2.0

#include <limits>

#include <gtest/gtest.h>

#include "json.h"
#include "json_reader.h"
#include "report.h"

namespace scree::bench {
namespace {

Measurement measurement() {
  Measurement m;
  m.name = "fillrandom";
  m.threads = 1;
  m.operations = 1000000;
  m.bytes = 116000000;
  m.thread_seconds = 6.312;
  m.wall_seconds = 6.31170;
  return m;
}

TEST(ResultLine, is_that_of_rocksdb_db_bench) {
  EXPECT_EQ(result_line(measurement()),
            "fillrandom   :       6.312 micros/op 158435 ops/sec 6.312 seconds 1000000 operations;   17.5 MB/s");
}

TEST(ResultLine, ends_with_the_remark) {
  Measurement m = measurement();
  m.name = "readrandom";
  m.remark = "(259203 of 300000 found)";
  EXPECT_EQ(result_line(m),
            "readrandom   :       6.312 micros/op 158435 ops/sec 6.312 seconds 1000000 operations;   "
            "17.5 MB/s (259203 of 300000 found)");
}

TEST(ResultLine, sums_the_threads_time_per_operation_and_takes_throughput_from_the_wall_clock) {
  Measurement m = measurement();
  m.threads = 2;
  m.thread_seconds = 12;
  m.wall_seconds = 6;
  EXPECT_EQ(result_line(m),
            "fillrandom   :      12.000 micros/op 166666 ops/sec 6.000 seconds 1000000 operations;   18.4 MB/s");
}

TEST(ResultLine, of_nothing_divides_by_nothing) {
  Measurement m;
  m.name = "readseq";
  EXPECT_EQ(result_line(m), "readseq      :       0.000 micros/op 0 ops/sec 0.000 seconds 0 operations;    0.0 MB/s");
}

Report comparison() {
  Report report;
  report.machine = {{"cpu", "a \"quoted\" \\ name\n"}};
  report.n = 1000;
  Histogram latency;
  for (int i = 0; i < 100; ++i) latency.add(2000);
  report.results = {
      {.benchmark = "fillseq",
       .subject = "scree",
       .threads = 1,
       .operations_per_second = 200000,
       .nanoseconds_per_operation = 5000,
       .latency = latency},
      {.benchmark = "fillseq",
       .subject = "rocksdb",
       .threads = 1,
       .operations_per_second = 100000,
       .nanoseconds_per_operation = 10000,
       .latency = {}},
  };
  report.ratios = {{.benchmark = "fillseq",
                    .subject = "scree",
                    .peer = "rocksdb",
                    .threads = 1,
                    .median = 2.004,
                    .min = 1.5,
                    .max = 2.5,
                    .pairs = 5}};
  return report;
}

TEST(RatioTable, has_a_line_per_ratio_with_both_medians) {
  const std::string table = ratio_table(comparison());
  EXPECT_EQ(table.find("| benchmark               |   scree ops/s | rocksdb ops/s | ratio | min to max    |\n"), 0u)
      << table;
  EXPECT_NE(table.find("200000"), std::string::npos) << table;
  EXPECT_NE(table.find("100000"), std::string::npos) << table;
  EXPECT_NE(table.find("|  2.00 | 1.50 to 2.50  |"), std::string::npos) << table;
  EXPECT_EQ(ratio_table(Report{}), "");
}

TEST(ReportAsJson, holds_machine_results_and_ratios_under_their_contract_names) {
  const Json json = JsonReader::read(to_json(comparison()));
  EXPECT_EQ(json.object.size(), 3u);
  EXPECT_EQ(json["machine"]["cpu"].string, "a \"quoted\" \\ name\n");

  ASSERT_EQ(json["results"].array.size(), 2u);
  const Json& ours = json["results"].array[0];
  EXPECT_EQ(ours["benchmark"].string, "fillseq");
  EXPECT_EQ(ours["subject"].string, "scree");
  EXPECT_EQ(ours["threads"].number, 1);
  EXPECT_EQ(ours["n"].number, 1000);
  EXPECT_EQ(ours["ops_per_second"].number, 200000);
  EXPECT_EQ(ours["ns_per_op"].number, 5000);
  EXPECT_NEAR(ours["p50_us"].number, 2, 0.04);
  EXPECT_NEAR(ours["p99_us"].number, 2, 0.04);
  EXPECT_NEAR(ours["p999_us"].number, 2, 0.04);
  EXPECT_FALSE(json["results"].array[1].has("p50_us")) << "what was not measured is absent";

  ASSERT_EQ(json["ratios"].array.size(), 1u);
  const Json& ratio = json["ratios"].array[0];
  EXPECT_EQ(ratio.object.size(), 9u);
  EXPECT_EQ(ratio["benchmark"].string, "fillseq");
  EXPECT_EQ(ratio["subject"].string, "scree");
  EXPECT_EQ(ratio["peer"].string, "rocksdb");
  EXPECT_EQ(ratio["threads"].number, 1);
  EXPECT_EQ(ratio["n"].number, 1000);
  EXPECT_EQ(ratio["ratio"].number, 2.004);
  EXPECT_EQ(ratio["ratio_min"].number, 1.5);
  EXPECT_EQ(ratio["ratio_max"].number, 2.5);
  EXPECT_EQ(ratio["pairs"].number, 5);
}

TEST(ReportAsJson, of_no_results_is_still_a_document) {
  const Json json = JsonReader::read(to_json(Report{}));
  EXPECT_TRUE(json["machine"].object.empty());
  EXPECT_TRUE(json["results"].array.empty());
  EXPECT_TRUE(json["ratios"].array.empty());
}

TEST(JsonWriter, says_null_for_what_json_has_no_number_for) {
  JsonWriter json;
  json.begin_array();
  json.value(std::numeric_limits<double>::infinity());
  json.value(std::numeric_limits<double>::quiet_NaN());
  json.value(std::uint64_t{1} << 63);
  json.end_array();
  EXPECT_EQ(json.take(), "[\n  null,\n  null,\n  9223372036854775808\n]\n");
}

}  // namespace
}  // namespace scree::bench
