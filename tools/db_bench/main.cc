// SPDX-License-Identifier: Apache-2.0
//
// db_bench: measures storage engines with the workloads, flags and result lines of RocksDB's db_bench.

#include <cstdio>

#include "bench_store.h"
#include "compare.h"
#include "flags.h"
#include "machine.h"
#include "text.h"
#include "workloads.h"

namespace scree::bench {
namespace {

void print_header(const Config& config, const Report& report) {
  for (const auto& [name, value] : report.machine) std::printf("%-16s %s\n", (name + ":").c_str(), value.c_str());
  std::printf("%-16s %zu bytes each\n", "keys:", config.key_size);
  std::printf("%-16s %zu bytes each (%.0f bytes after compression)\n", "values:", config.value_size,
              static_cast<double>(config.value_size) * config.compression_ratio);
  std::printf("%-16s %llu\n", "entries:", static_cast<unsigned long long>(config.num));
  std::printf("%-16s %u\n", "threads:", config.threads);
  std::printf("%-16s %s\n", "sync:", config.sync ? "true" : "false (true in fillsync)");
  std::printf("%-16s %llu\n", "seed:", static_cast<unsigned long long>(config.seed));
  std::printf("%-16s %s\n", "stores in:", config.directory.c_str());
  std::printf("------------------------------------------------\n");
  std::fflush(stdout);
}

void show(const Config& config, const Measurement& measurement, Report* report) {
  std::printf("%s\n", result_line(measurement).c_str());
  if (config.histogram) std::printf("%s\n", histogram_text(measurement).c_str());
  std::fflush(stdout);
  report->results.push_back({.benchmark = measurement.name,
                             .subject = std::string(config.engine->name),
                             .threads = measurement.threads,
                             .operations_per_second = measurement.operations_per_second(),
                             .nanoseconds_per_operation = measurement.microseconds_per_operation() * 1000,
                             .latency = measurement.latency});
}

// One engine, each benchmark once, in the order given.
Status run_plain(const Config& config, Report* report) {
  const ValuePool pool(config.compression_ratio, config.value_size);
  BenchStore store(config, *config.engine, {});
  std::uint64_t seed = config.seed;
  for (const Benchmark* benchmark : config.benchmarks) {
    const bool fresh = benchmark->state == StoreState::kFresh;
    std::string reason;
    if (benchmark->needs_order && !config.engine->ordered) reason = std::string(config.engine->name) + " has no order";
    if (fresh && config.use_existing_db) reason = "--use_existing_db is true";
    if (!reason.empty()) {
      std::printf("%s\n", skipped_line(benchmark->name, reason).c_str());
      continue;
    }

    Status status;
    if (fresh || (!store.is_open() && !config.use_existing_db)) {
      status = store.open_fresh();
    } else if (!store.is_open()) {
      status = store.open_existing();
    }
    RunResult result;
    if (status.is_ok()) status = run_benchmark(*benchmark, config, pool, seed++, store.store(), &result);
    if (!status.is_ok()) return status;
    show(config, result.main, report);
    if (result.writer) show(config, *result.writer, report);
  }
  return Status::ok();
}

Status run(const Config& config) {
  // Found out now rather than after minutes of measuring.
  if (!config.json_path.empty()) {
    if (Status status = write_file(config.json_path, std::ios::app, {}); !status.is_ok()) return status;
  }
  Report report;
  report.machine = machine_facts(config);
  report.n = config.num;
  print_header(config, report);
  Status status = config.peer != nullptr ? run_comparison(config, &report) : run_plain(config, &report);
  if (!status.is_ok()) return status;
  std::fputs(ratio_table(report).c_str(), stdout);
  if (config.json_path.empty()) return Status::ok();
  return write_file(config.json_path, std::ios::trunc, to_json(report));
}

}  // namespace
}  // namespace scree::bench

int main(int argc, char** argv) {
  scree::bench::Config config;
  scree::Status status = scree::bench::parse_command_line(argc, argv, &config);
  if (status.is_ok()) status = scree::bench::run(config);
  if (status.is_ok()) return 0;
  std::fprintf(stderr, "db_bench: %s\n", status.to_string().c_str());
  return 1;
}
