// SPDX-License-Identifier: Apache-2.0
//
// Partial-order reduction leaves out no outcome: generated programs, each searched with and without it.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <unordered_set>
#include <vector>

#include <scree/atomic.h>
#include <scree_model/platform.h>

#include "model/explorer.h"

namespace {

using namespace scree;

constexpr int kVariables = 3;
constexpr int kMaxSteps = 4;

struct Step {
  enum Kind { kLoad, kStore, kAdd, kExchangeIfZero, kFence, kCompilerFence, kMembarrier, kKinds };
  Kind kind;
  int variable;
  std::memory_order order;
};
using Threads = std::vector<std::vector<Step>>;

Threads generate(std::mt19937& random) {
  const auto below = [&random](unsigned n) { return random() % n; };
  constexpr std::memory_order kLoads[] = {memory_order_relaxed, memory_order_acquire, memory_order_seq_cst};
  constexpr std::memory_order kStores[] = {memory_order_relaxed, memory_order_release, memory_order_seq_cst};
  Threads threads(2 + below(2));
  for (auto& steps : threads) {
    const unsigned count = 2 + below(threads.size() == 2 ? kMaxSteps - 1 : 2);
    for (unsigned n = 0; n < count; ++n) {
      // Mostly loads and stores: the others order too much.
      const auto kind =
          below(3) != 0 ? static_cast<Step::Kind>(below(2)) : static_cast<Step::Kind>(below(Step::kKinds));
      const std::memory_order order = kind == Step::kLoad ? kLoads[below(3)] : kStores[below(3)];
      steps.push_back({kind, static_cast<int>(below(kVariables)), order});
    }
  }
  return threads;
}

struct State {
  std::array<Atomic<int>, kVariables> variables{};
  std::uint64_t outcome[4] = {};  // of each thread, written by itself
};

void run(State& s, int thread, const std::vector<Step>& steps) {
  std::uint64_t& outcome = s.outcome[thread];
  outcome = 1;
  int value = 1 + thread * kMaxSteps;
  for (const Step& step : steps) {
    Atomic<int>& v = s.variables[static_cast<std::size_t>(step.variable)];
    int seen = 0;
    switch (step.kind) {
      case Step::kLoad:
        seen = v.load(step.order);
        break;
      case Step::kStore:
        v.store(value++, step.order);
        break;
      case Step::kAdd:
        seen = v.fetch_add(16, step.order);
        break;
      case Step::kExchangeIfZero:
        v.compare_exchange_strong(seen, value++, step.order, memory_order_relaxed);
        break;
      case Step::kFence:
        thread_fence(memory_order_seq_cst);
        break;
      case Step::kCompilerFence:
        compiler_fence();
        break;
      default:
        model::membarrier_call();
    }
    outcome = outcome * 101 + static_cast<std::uint64_t>(seen);
  }
}

struct Found {
  std::unordered_set<std::uint64_t> outcomes;
  std::uint64_t executions = 0;
};

Found search(const Threads& threads, model::Options options, bool reduce) {
  options.name = "generated program";
  options.reduce = reduce;
  options.quiet = true;
  Found found;
  std::uint64_t outcome = 0;
  const model::Result r = model::explore(options, [&](model::Program& p) {
    // What the last execution came to: a set of this process cannot grow within one.
    if (outcome != 0) {
      model::outside([&] { found.outcomes.insert(outcome); });
    }
    auto& s = p.make<State>();
    for (int i = 0; i < static_cast<int>(threads.size()); ++i) {
      const auto* steps = &threads[static_cast<std::size_t>(i)];
      p.thread([&s, i, steps] { run(s, i, *steps); });
    }
    auto* result = &outcome;
    p.at_end([&s, result] {
      std::uint64_t all = 1;
      for (const std::uint64_t one : s.outcome) all = all * 1'000'003 + one;
      for (auto& v : s.variables) all = all * 1'000'003 + static_cast<std::uint64_t>(v.load());
      *result = all;
    });
  });
  found.outcomes.insert(outcome);
  found.executions = r.executions;
  EXPECT_TRUE(r.ok() && r.complete) << r.report();
  return found;
}

std::string to_text(const Threads& threads) {
  std::string text;
  for (const auto& steps : threads) {
    for (const Step& step : steps) {
      text += std::string{"LSAXFCM"[step.kind], static_cast<char>('x' + step.variable)} +
              std::to_string(static_cast<int>(step.order)) + ' ';
    }
    text += "| ";
  }
  return text;
}

void compare(const model::Options& options, std::uint32_t seed, int programs) {
  std::mt19937 random(seed);
  std::uint64_t all = 0;
  std::uint64_t reduced = 0;
  for (int n = 0; n < programs; ++n) {
    const Threads threads = generate(random);
    const Found with = search(threads, options, true);
    const Found without = search(threads, options, false);
    all += without.executions;
    reduced += with.executions;
    ASSERT_EQ(with.outcomes, without.outcomes)
        << to_text(threads) << with.outcomes.size() << " of " << without.outcomes.size();
  }
  EXPECT_LT(reduced, all);
  std::printf("%d programs, %llu of %llu executions\n", programs, static_cast<unsigned long long>(reduced),
              static_cast<unsigned long long>(all));
}

TEST(Reduction, keeps_every_outcome_of_interleavings) {
  for (const int preemptions : {-1, 0, 1, 2}) {
    compare({.preemptions = preemptions, .memory = model::Memory::kInterleaving}, 1, 300);
  }
}

TEST(Reduction, keeps_every_outcome_on_tso) {
  for (const int preemptions : {-1, 0, 1, 2}) {
    compare({.preemptions = preemptions, .memory = model::Memory::kTso, .delayed_stores = 2}, 2, 60);
  }
}

TEST(Reduction, keeps_every_outcome_of_the_relaxed_model) {
  compare({.preemptions = -1, .stale_reads = 2, .delayed_stores = 0}, 4, 120);
  for (const int preemptions : {-1, 0, 1, 2}) {
    compare({.preemptions = preemptions, .stale_reads = 2, .delayed_stores = 1}, 3, 120);
  }
}

}  // namespace
