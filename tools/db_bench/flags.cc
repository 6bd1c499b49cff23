// SPDX-License-Identifier: Apache-2.0

#include "flags.h"

#include <unistd.h>

#include <filesystem>
#include <limits>

#include "engines.h"
#include "flag_values.h"
#include "workloads.h"

DEFINE_string(benchmarks, "",
              "Comma-separated benchmarks, run in this order; empty for all of them. Each fill benchmark starts from a "
              "fresh store, every other one uses what is there");
DEFINE_string(engine, "scree", "Engine to run: scree, scree_hash or rocksdb");
DEFINE_string(compare, "",
              "A peer engine. Each benchmark then runs on engine and peer in turn, and a table of medians and ratios "
              "is printed at the end. In memory by default: see --write_buffer_size, --reads and --seek_nexts");
DEFINE_int32(pairs, 5, "With --compare: pairs of runs of each benchmark, after a warm-up pair that does not count");
DEFINE_string(json, "", "File to write machine, results and ratios to, as JSON");

DEFINE_string(db, "",
              "Directory in which stores are made, each in a subdirectory of its own; empty for one in the "
              "directory for temporary files");
DEFINE_bool(use_existing_db, false, "Use the store that an earlier run left in --db; fill benchmarks are skipped");

DEFINE_int64(num, 1000000, "Number of keys: keys are drawn from [0, num)");
DEFINE_int64(reads, -1, "Reads per thread; -1 for num, or with --compare 0.3 x num (num / 30 in seekrandom)");
DEFINE_int64(writes, -1,
             "Writes per thread; -1 for num (fillsync: num / 1000, at least 3000), or with --compare 0.3 x "
             "num in benchmarks that do not fill");
DEFINE_int32(threads, 1, "Threads; each does all the operations of the benchmark");
DEFINE_int32(duration, 0, "Seconds for which benchmarks with random keys run, whatever their count; 0 to run by count");
DEFINE_int32(key_size, 16, "Bytes of a key");
DEFINE_int32(value_size, 100, "Bytes of a value");
DEFINE_int64(batch_size, 1, "Operations per write; fillbatch uses 1000 if this is 1");
DEFINE_int64(seek_nexts, -1, "Steps after each seek of seekrandom; -1 for 0, or with --compare 100");
DEFINE_bool(reverse_iterator, false, "seekrandom steps backwards");
DEFINE_int64(seed, 301, "Seed of all random numbers; 0 takes one from the clock");

DEFINE_bool(sync, false, "Each write waits until it is on the disk");
DEFINE_int64(write_buffer_size, -1,
             "Bytes in memory at which an engine flushes; -1 for 64 MiB, or with --compare 2 GiB, "
             "so that nothing is flushed");
DEFINE_int64(cache_size, 32 << 20, "Bytes of the block cache");
DEFINE_int32(bloom_bits, 10, "Bits per key of the Bloom filters; 0 for none");
DEFINE_string(compression_type, "lz4", "Compression of tables: none or lz4");
DEFINE_double(compression_ratio, 0.5, "Size to which values can be compressed, as a fraction");
DEFINE_int64(benchmark_write_rate_limit, 0,
             "Bytes per second that all writers of a benchmark together may write; 0 for no limit");
DEFINE_bool(histogram, false,
            "Print latencies. They are also measured for --json. Fast operations are timed one in 17, so that "
            "reading the clock costs every engine the same few nanoseconds per operation");

namespace scree::bench {
namespace {

template <typename To>
Status optional_in_range(std::string_view flag, std::int64_t value, std::int64_t low, std::int64_t high,
                         std::optional<To>* to) {
  if (value == -1) return Status::ok();
  return in_range(flag, value, low, high, &to->emplace());
}

Status parse_benchmarks(Config* config) {
  if (FLAGS_benchmarks.empty()) {
    for (const Benchmark& benchmark : benchmarks()) config->benchmarks.push_back(&benchmark);
    return Status::ok();
  }
  for (const std::string_view name : split_at_commas(FLAGS_benchmarks)) {
    const Benchmark* benchmark = find_benchmark(name);
    if (benchmark == nullptr) {
      return Status::invalid_argument("--benchmarks knows " + benchmark_names() + got(name));
    }
    config->benchmarks.push_back(benchmark);
  }
  return Status::ok();
}

Status parse_engines(Config* config) {
  config->engine = find_engine(FLAGS_engine);
  if (config->engine == nullptr) {
    return Status::invalid_argument("--engine knows " + engine_names() + got(FLAGS_engine));
  }
  if (FLAGS_compare.empty()) return Status::ok();
  config->peer = find_engine(FLAGS_compare);
  if (config->peer == nullptr) {
    return Status::invalid_argument("--compare knows " + engine_names() + got(FLAGS_compare));
  }
  if (config->peer == config->engine) {
    return Status::invalid_argument("--compare must name another engine than --engine" + got(FLAGS_compare));
  }
  if (FLAGS_use_existing_db) {
    return Status::invalid_argument("--use_existing_db cannot be had with --compare, which fills its own stores");
  }
  return Status::ok();
}

Status parse_numbers(Config* config) {
  constexpr std::int64_t kBillion = 1'000'000'000;
  constexpr std::int64_t kMaxCount = 1000 * kBillion;
  constexpr std::int64_t kMaxBytes = std::int64_t{1} << 40;
  const bool compares = config->peer != nullptr;
  const std::int64_t seek_nexts = FLAGS_seek_nexts != -1 ? FLAGS_seek_nexts : compares ? 100 : 0;
  const std::int64_t write_buffer =
      FLAGS_write_buffer_size != -1 ? FLAGS_write_buffer_size : std::int64_t{compares ? 2048 : 64} << 20;
  std::int64_t duration = 0;

  Status status = in_range("num", FLAGS_num, 1, kMaxCount, &config->num);
  if (status.is_ok()) status = optional_in_range("reads", FLAGS_reads, 1, kMaxCount, &config->reads);
  if (status.is_ok()) status = optional_in_range("writes", FLAGS_writes, 1, kMaxCount, &config->writes);
  if (status.is_ok()) status = in_range("threads", FLAGS_threads, 1, 1024, &config->threads);
  if (status.is_ok()) status = in_range("pairs", FLAGS_pairs, 1, 1000, &config->pairs);
  if (status.is_ok()) status = in_range("duration", FLAGS_duration, 0, 1'000'000, &duration);
  if (status.is_ok()) status = in_range("key_size", FLAGS_key_size, 1, (64 << 10) - 1, &config->key_size);
  if (status.is_ok()) status = in_range("value_size", FLAGS_value_size, 0, 256 << 20, &config->value_size);
  if (status.is_ok()) status = in_range("batch_size", FLAGS_batch_size, 1, kBillion, &config->batch_size);
  if (status.is_ok()) status = in_range("seek_nexts", seek_nexts, 0, kMaxCount, &config->seek_nexts);
  if (status.is_ok()) {
    status = in_range("seed", FLAGS_seed, 0, std::numeric_limits<std::int64_t>::max(), &config->seed);
  }
  if (status.is_ok()) {
    status = in_range("write_buffer_size", write_buffer, 64 << 10, kMaxBytes, &config->store.write_buffer_size);
  }
  if (status.is_ok()) status = in_range("cache_size", FLAGS_cache_size, 0, kMaxBytes, &config->store.cache_size);
  if (status.is_ok()) status = in_range("bloom_bits", FLAGS_bloom_bits, 0, 100, &config->store.bloom_bits);
  if (status.is_ok()) {
    status = in_range("benchmark_write_rate_limit", FLAGS_benchmark_write_rate_limit, 0, kMaxBytes,
                      &config->write_rate_limit);
  }
  if (!status.is_ok()) return status;

  config->duration = std::chrono::seconds(duration);
  if (config->key_size < 8 && (config->num - 1) >> (8 * config->key_size) != 0) {
    return Status::invalid_argument("--key_size is too small for --num different keys" +
                                    got(std::to_string(config->key_size)));
  }
  const std::uint64_t batch_bytes = config->batch_size * (config->key_size + config->value_size + 32);
  if (batch_bytes > std::uint64_t{1} << 30) {
    return Status::invalid_argument("--batch_size is too large: a batch may hold 1 GiB" +
                                    got(std::to_string(config->batch_size)));
  }
  if (!(FLAGS_compression_ratio > 0 && FLAGS_compression_ratio <= 1)) {
    return Status::invalid_argument("--compression_ratio must be above 0 and at most 1" +
                                    got(std::to_string(FLAGS_compression_ratio)));
  }
  config->compression_ratio = FLAGS_compression_ratio;
  return Status::ok();
}

Status parse_compression(Config* config) {
  if (FLAGS_compression_type == "lz4") {
    config->store.compression = Compression::kLZ4;
  } else if (FLAGS_compression_type == "none") {
    config->store.compression = Compression::kNone;
  } else {
    return Status::invalid_argument("--compression_type knows none, lz4" + got(FLAGS_compression_type));
  }
  return Status::ok();
}

std::string default_directory() {
  std::error_code error;
  std::filesystem::path base = std::filesystem::temp_directory_path(error);
  if (error) base = ".";
  return (base / ("scree_db_bench-" + std::to_string(geteuid()))).string();
}

}  // namespace

Status parse_command_line(int argc, char** argv, Config* config) {
  Status status =
      read_flags(argc, argv, "measures storage engines: " + engine_names() + "\nBenchmarks: " + benchmark_names());
  if (status.is_ok()) status = parse_benchmarks(config);
  if (status.is_ok()) status = parse_engines(config);
  if (status.is_ok()) status = parse_numbers(config);
  if (status.is_ok()) status = parse_compression(config);
  if (!status.is_ok()) return status;

  if (config->seed == 0) {
    config->seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  }
  config->directory = FLAGS_db.empty() ? default_directory() : FLAGS_db;
  config->use_existing_db = FLAGS_use_existing_db;
  config->json_path = FLAGS_json;
  config->reverse_iterator = FLAGS_reverse_iterator;
  config->histogram = FLAGS_histogram;
  config->sync = FLAGS_sync;
  return Status::ok();
}

}  // namespace scree::bench
