// SPDX-License-Identifier: Apache-2.0

#include "runner.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "workloads.h"

namespace scree::bench {
namespace {

constexpr unsigned kLatencyStride = 17;

std::string remark_of(Remark remark, std::uint64_t operations, std::uint64_t found) {
  switch (remark) {
    case Remark::kNone:
      return {};
    case Remark::kFound:
      return std::string("(") + std::to_string(found) + " of " + std::to_string(operations) + " found)";
    case Remark::kUpdates:
      return std::string("( updates:") + std::to_string(operations) + " found:" + std::to_string(found) + ")";
  }
  return {};
}

Measurement summarize(std::string name, Remark remark, const std::vector<ThreadResult>& threads) {
  Measurement sum;
  sum.name = std::move(name);
  sum.threads = static_cast<unsigned>(threads.size());
  std::uint64_t found = 0;
  Clock::time_point start = threads.front().start;
  Clock::time_point finish = threads.front().finish;
  for (const ThreadResult& thread : threads) {
    sum.operations += thread.operations;
    sum.bytes += thread.bytes;
    sum.thread_seconds += seconds_between(thread.start, thread.finish);
    sum.latency.merge(thread.latency);
    found += thread.found;
    start = std::min(start, thread.start);
    finish = std::max(finish, thread.finish);
  }
  sum.wall_seconds = seconds_between(start, finish);
  sum.remark = remark_of(remark, sum.operations, found);
  return sum;
}

}  // namespace

double Measurement::operations_per_second() const {
  return wall_seconds > 0 ? static_cast<double>(operations) / wall_seconds : 0;
}

double Measurement::microseconds_per_operation() const {
  return operations > 0 ? thread_seconds * 1e6 / static_cast<double>(operations) : 0;
}

Status run_benchmark(const Benchmark& benchmark, const Config& config, const ValuePool& pool, std::uint64_t seed,
                     Store& store, RunResult* result) {
  const bool has_writer = benchmark.writer != nullptr;
  const unsigned thread_count = config.threads + (has_writer ? 1 : 0);
  const unsigned stride = !config.wants_latency() ? 0 : benchmark.slow ? 1 : kLatencyStride;
  const auto duration = benchmark.counted ? Clock::duration::zero() : Clock::duration(config.duration);

  Progress progress;
  std::latch ready(thread_count);
  std::atomic<unsigned> readers_left = config.threads;
  const std::function<bool()> readers_done = [&] { return readers_left.load(std::memory_order_relaxed) == 0; };
  RateLimiter limiter(config.write_rate_limit);
  std::vector<Status> statuses(thread_count);
  std::vector<ThreadResult> results(thread_count);

  // The writer, if there is one, is the last.
  const auto work = [&](unsigned index) {
    const bool is_writer = has_writer && index == config.threads;
    const std::unique_ptr<Session> session = store.session(config.sync || benchmark.syncs);
    const auto run = is_writer ? std::make_unique<ThreadRun>(std::numeric_limits<std::uint64_t>::max(),
                                                             Clock::duration::zero(), stride, &progress)
                               : std::make_unique<ThreadRun>(benchmark.operations(config), duration, stride, &progress);
    Random seeds(seed + (std::uint64_t{index} << 40));
    WorkloadThread thread{.config = config,
                          .session = *session,
                          .run = *run,
                          .values = ValueGenerator(pool, config.value_size),
                          .random = Random(seeds.next()),
                          .limiter = limiter,
                          .readers_done = readers_done};
    ready.arrive_and_wait();
    run->start();
    statuses[index] = (is_writer ? benchmark.writer : benchmark.body)(thread);
    run->finish();
    if (!is_writer) readers_left.fetch_sub(1, std::memory_order_relaxed);
    results[index] = run->result();
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < thread_count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();

  for (Status& status : statuses) {
    if (!status.is_ok()) return status.with_context(benchmark.name);
  }
  const auto end_of_main = results.begin() + config.threads;
  result->main = summarize(std::string(benchmark.name), benchmark.remark, {results.begin(), end_of_main});
  result->writer.reset();
  if (has_writer) {
    result->writer = summarize(std::string(benchmark.name) + "_writer", Remark::kNone, {end_of_main, results.end()});
  }
  return Status::ok();
}

}  // namespace scree::bench
