// SPDX-License-Identifier: Apache-2.0

#include "compare.h"

#include <algorithm>
#include <functional>

#include "statistics.h"

namespace scree::bench {
namespace {

constexpr double kShortestRun = 50e6;  // nanoseconds

// As near to `n` as the benchmark allows, and a multiple of the threads.
std::uint64_t allowed(const Benchmark& benchmark, unsigned threads, std::uint64_t n) {
  const std::uint64_t most = std::max<std::uint64_t>(benchmark.max_n / threads, 1);
  return std::min((n + threads - 1) / threads, most) * threads;
}

// Raises `*n` until a run of `contender` lasts long enough, or no more is allowed.
Status lengthen(const Benchmark& benchmark, const Contender& contender, unsigned threads, std::uint64_t* n) {
  for (;;) {
    double nanoseconds = 0;
    if (Status status = contender.run({.threads = threads, .n = *n}, &nanoseconds); !status.is_ok()) return status;
    if (nanoseconds >= kShortestRun) return Status::ok();
    // A little more than seems to be needed, and not much more at a time: short runs tell little.
    const double factor = std::clamp(1.1 * kShortestRun / std::max(nanoseconds, 1.0), 1.1, 20.0);
    const std::uint64_t more =
        allowed(benchmark, threads, static_cast<std::uint64_t>(static_cast<double>(*n) * factor));
    if (more <= *n) return Status::ok();
    *n = more;
  }
}

SubjectResult result_of(const Benchmark& benchmark, const Contender& contender, const RunRequest& request,
                        double cost) {
  SubjectResult result;
  result.benchmark = benchmark.name;
  result.subject = contender.name;
  result.threads = request.threads;
  result.n = request.n;
  switch (benchmark.measure) {
    case Measure::kNanoseconds:
      result.operations_per_second = 1e9 / cost;
      result.nanoseconds_per_operation = cost;
      break;
    case Measure::kBytes:
      result.bytes_per_entry = cost;
      break;
    case Measure::kPercent:
      result.percent_left = cost;
      break;
  }
  return result;
}

}  // namespace

Status compare(const Benchmark& benchmark, unsigned threads, std::optional<std::uint64_t> n, unsigned reps,
               Comparison* comparison) {
  if (!n) n = benchmark.default_n;
  std::vector<const Contender*> contenders = {&benchmark.container};
  for (const Contender& peer : benchmark.peers) {
    if (peer.takes_part(threads)) contenders.push_back(&peer);
  }

  constexpr std::uint64_t kFirstTry = 10'000;
  RunRequest request{.threads = threads, .n = allowed(benchmark, threads, n.value_or(kFirstTry))};
  if (!n) {
    for (const Contender* contender : contenders) {
      if (Status status = lengthen(benchmark, *contender, threads, &request.n); !status.is_ok()) return status;
    }
  }

  const bool timed = benchmark.measure == Measure::kNanoseconds;
  const unsigned warm_ups = timed ? 1 : 0, counted = timed ? reps : 1;
  const double parts = benchmark.measure == Measure::kPercent ? 1 : static_cast<double>(request.n);
  std::vector<std::vector<double>> costs(contenders.size());  // of an operation, by contender and counted round
  for (unsigned round = 0; round < warm_ups + counted; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      double measured = 0;
      if (Status status = contenders[i]->run(request, &measured); !status.is_ok()) {
        return status.with_context(benchmark.name + " of " + contenders[i]->name);
      }
      if (round >= warm_ups) costs[i].push_back(measured / parts);
    }
  }

  // Of one contender's times to another's.
  const auto ratio_of = [&](std::size_t subject, std::size_t peer) {
    const Spread spread = spread_of(pair_by_pair(costs[subject], costs[peer], std::divides<double>()));
    Ratio ratio{.benchmark = benchmark.name,
                .subject = contenders[subject]->name,
                .peer = contenders[peer]->name,
                .threads = threads,
                .n = request.n,
                .median = spread.median,
                .min = spread.min,
                .max = spread.max,
                .pairs = counted};
    if (timed) {
      ratio.difference_ns = spread_of(pair_by_pair(costs[subject], costs[peer], std::minus<double>())).median;
    }
    return ratio;
  };
  std::optional<std::size_t> one_thread, independent;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    comparison->results.push_back(result_of(benchmark, *contenders[i], request, spread_of(costs[i]).median));
    if (i != 0 && benchmark.measure != Measure::kPercent) comparison->ratios.push_back(ratio_of(0, i));
    if (contenders[i]->role == Role::kOneThread) one_thread = i;
    if (contenders[i]->role == Role::kIndependent) independent = i;
  }
  if (one_thread && independent) {
    comparison->scaling = {.shared = ratio_of(0, *one_thread), .independent = ratio_of(*independent, *one_thread)};
  }
  return Status::ok();
}

}  // namespace scree::bench
