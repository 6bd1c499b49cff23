// SPDX-License-Identifier: Apache-2.0

#include "compare.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>

#include "bench_store.h"
#include "statistics.h"
#include "workloads.h"

namespace scree::bench {
namespace {

// The counted runs of one benchmark (or of its background writer), ours and the peer's side by side.
class Series {
 public:
  void add(std::size_t side, const Measurement& measurement) {
    Side& to = sides_[side];
    to.throughputs.push_back(measurement.operations_per_second());
    to.nanoseconds.push_back(measurement.microseconds_per_operation() * 1000);
    to.latency.merge(measurement.latency);
    name_ = measurement.name;
    threads_ = measurement.threads;
  }

  void report(const std::array<std::string, 2>& subjects, Report* report) const {
    for (std::size_t side = 0; side < 2; ++side) {
      report->results.push_back({.benchmark = name_,
                                 .subject = subjects[side],
                                 .threads = threads_,
                                 .operations_per_second = spread_of(sides_[side].throughputs).median,
                                 .nanoseconds_per_operation = spread_of(sides_[side].nanoseconds).median,
                                 .latency = sides_[side].latency});
    }
    const std::vector<double> ratios =
        pair_by_pair(sides_[0].throughputs, sides_[1].throughputs, std::divides<double>());
    const Spread spread = spread_of(ratios);
    report->ratios.push_back({.benchmark = name_,
                              .subject = subjects[0],
                              .peer = subjects[1],
                              .threads = threads_,
                              .median = spread.median,
                              .min = spread.min,
                              .max = spread.max,
                              .pairs = static_cast<unsigned>(ratios.size())});
  }

  bool is_empty() const { return sides_[0].throughputs.empty(); }

 private:
  struct Side {
    std::vector<double> throughputs;
    std::vector<double> nanoseconds;
    Histogram latency;
  };

  std::string name_;
  unsigned threads_ = 0;
  std::array<Side, 2> sides_;
};

class Comparison {
 public:
  Comparison(const Config& config, Report* report)
      : config_(config),
        report_(report),
        pool_(config.compression_ratio, config.value_size),
        subjects_{std::string(config.engine->name), std::string(config.peer->name)},
        filled_{BenchStore(config, *config.engine, "filled"), BenchStore(config, *config.peer, "filled")} {}

  Status run(const Benchmark& benchmark) {
    std::array<BenchStore, 2> own = {BenchStore(config_, *config_.engine, "own"),
                                     BenchStore(config_, *config_.peer, "own")};
    const bool shares = benchmark.state == StoreState::kUnchanged;
    std::array<BenchStore, 2>& stores = shares ? filled_ : own;
    if (benchmark.state != StoreState::kFresh) {
      for (BenchStore& store : stores) {
        if (store.is_open()) continue;
        if (Status status = fill(store); !status.is_ok()) return status;
      }
    }

    Series main;
    Series writer;
    for (unsigned round = 0; round <= config_.pairs; ++round) {
      for (std::size_t side = 0; side < 2; ++side) {
        RunResult result;
        if (Status status = run_once(benchmark, round, stores[side], &result); !status.is_ok()) return status;
        show(side, round, result);
        if (round == 0) continue;
        main.add(side, result.main);
        if (result.writer) writer.add(side, *result.writer);
      }
    }
    main.report(subjects_, report_);
    if (!writer.is_empty()) writer.report(subjects_, report_);
    return shares ? Status::ok() : remove(own);
  }

  Status finish() { return remove(filled_); }

 private:
  Status run_once(const Benchmark& benchmark, unsigned round, BenchStore& store, RunResult* result) {
    const bool fresh = benchmark.state == StoreState::kFresh;
    if (fresh) {
      Status status = store.open_fresh();
      if (!status.is_ok()) return status;
    }
    settle();
    Status status = run_benchmark(benchmark, config_, pool_, config_.seed + 1 + round, store.store(), result);
    if (status.is_ok() && fresh) status = store.remove();
    return status.with_context(store.engine().name);
  }

  // Fills as fillrandom does, both sides with the same keys.
  Status fill(BenchStore& store) {
    if (Status status = store.open_fresh(); !status.is_ok()) return status;
    std::fprintf(stderr, "filling %s\n", store.directory().c_str());
    Config config = config_;
    config.threads = 1;
    config.duration = {};
    config.writes = config_.num;
    config.write_rate_limit = 0;
    config.sync = false;
    RunResult ignored;
    return run_benchmark(*find_benchmark("fillrandom"), config, pool_, config_.seed, store.store(), &ignored)
        .with_context(store.engine().name);
  }

  // What a run left to the kernel and the heap is not to be paid by the next.
  void settle() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    const int directory = ::open(config_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    ::syncfs(directory);
    ::close(directory);
  }

  void show(std::size_t side, unsigned round, const RunResult& result) {
    const std::string label = round == 0 ? "warm-up" : std::to_string(round) + "/" + std::to_string(config_.pairs);
    const auto line = [&](const Measurement& measurement) {
      std::fprintf(stderr, "%-8s %-10s %s\n", label.c_str(), subjects_[side].c_str(), result_line(measurement).c_str());
      if (config_.histogram) std::fprintf(stderr, "%s\n", histogram_text(measurement).c_str());
    };
    line(result.main);
    if (result.writer) line(*result.writer);
  }

  static Status remove(std::array<BenchStore, 2>& stores) {
    Status first = stores[0].remove();
    Status second = stores[1].remove();
    return first.is_ok() ? std::move(second) : std::move(first);
  }

  const Config& config_;
  Report* const report_;
  const ValuePool pool_;
  const std::array<std::string, 2> subjects_;
  std::array<BenchStore, 2> filled_;
};

}  // namespace

Status run_comparison(const Config& config, Report* report) {
  Comparison comparison(config, report);
  for (const Benchmark* benchmark : config.benchmarks) {
    const EngineEntry* unordered = !config.engine->ordered ? config.engine
                                   : !config.peer->ordered ? config.peer
                                                           : nullptr;
    if (benchmark->needs_order && unordered != nullptr) {
      std::printf("%s\n", skipped_line(benchmark->name, std::string(unordered->name) + " has no order").c_str());
      continue;
    }
    if (Status status = comparison.run(*benchmark); !status.is_ok()) return status;
  }
  return comparison.finish();
}

}  // namespace scree::bench
