// SPDX-License-Identifier: Apache-2.0
//
// push_pop and one_to_one: what it costs to hand numbers over through a container that threads share.
//
// A way of doing it is a type with:
//   Container                              default-constructible, empty at first
//   static void push(Container*, std::uint64_t)
//   static bool pop(Container*, std::uint64_t*)   false if it found nothing

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "contender.h"
#include "registry.h"
#include "timed_threads.h"

namespace scree::bench {

// Returns the sum of the numbers that were popped. Where a container finds nothing although something is there, as some
// do for a moment, it is asked again. Out of line, so that it is found by its name in a disassembly and by callgrind.
template <class Way>
[[gnu::noinline]] std::uint64_t push_pop_loop(typename Way::Container* container, std::uint64_t operations) {
  std::uint64_t sum = 0, number = 0;
  for (std::uint64_t i = 0; i < operations; ++i) {
    Way::push(container, i);
    while (!Way::pop(container, &number)) {
    }
    sum += number;
  }
  return sum;
}

template <class Way>
[[gnu::noinline]] void push_loop(typename Way::Container* container, std::uint64_t operations) {
  for (std::uint64_t i = 0; i < operations; ++i) Way::push(container, i);
}

template <class Way>
[[gnu::noinline]] std::uint64_t pop_loop(typename Way::Container* container, std::uint64_t operations) {
  std::uint64_t sum = 0, number = 0;
  for (std::uint64_t i = 0; i < operations; ++i) {
    while (!Way::pop(container, &number)) {
    }
    sum += number;
  }
  return sum;
}

inline std::uint64_t sum_below(std::uint64_t n) { return n * (n - 1) / 2; }

// An error if numbers were lost, or came out twice.
inline Status check_sum(std::uint64_t sum, std::uint64_t expected) {
  if (sum == expected) return Status::ok();
  return Status::corruption("the numbers that came out add up to " + std::to_string(sum) + " instead of " +
                            std::to_string(expected));
}

// All threads push and pop, by turns, through one container. An operation is one of both.
template <class Way>
RunFunction push_pop() {
  return [](const RunRequest& request, double* nanoseconds) {
    const auto container = std::make_unique<typename Way::Container>();
    std::atomic<std::uint64_t> sum{0};
    *nanoseconds = run_on_threads(request.threads, [&](Lap& lap) {
      push_pop_loop<Way>(container.get(), 1);  // what a thread pays once
      lap.start();
      const std::uint64_t mine = push_pop_loop<Way>(container.get(), request.operations_per_thread());
      lap.stop();
      sum.fetch_add(mine, std::memory_order_relaxed);
    });
    return check_sum(sum.load(), request.threads * sum_below(request.operations_per_thread()));
  };
}

inline constexpr unsigned kOneToOneThreads = 2;
// One thread may push all before the other pops any: a few hundred megabytes.
inline constexpr std::uint64_t kOneToOneMost = 5'000'000;

// One thread pushes all numbers, another one pops them. An operation is one number; a run has two threads.
template <class Way>
RunFunction one_to_one() {
  return [](const RunRequest& request, double* nanoseconds) {
    const auto container = std::make_unique<typename Way::Container>();
    std::atomic<unsigned> threads{0};
    std::atomic<std::uint64_t> sum{0};
    *nanoseconds = run_on_threads(kOneToOneThreads, [&](Lap& lap) {
      const bool pushes = threads.fetch_add(1, std::memory_order_relaxed) == 0;
      push_pop_loop<Way>(container.get(), 1);
      lap.start();
      if (pushes) {
        push_loop<Way>(container.get(), request.n);
      } else {
        sum = pop_loop<Way>(container.get(), request.n);
      }
      lap.stop();
    });
    return check_sum(sum.load(), sum_below(request.n));
  };
}

// Both benchmarks of a container of ours, and a peer's side of them.
template <class Way>
void add_push_pop(Registry* registry, const std::string& name) {
  registry->add({.name = "push_pop", .container = {.name = name, .run = push_pop<Way>()}});
  registry->add({.name = "one_to_one",
                 .container = {.name = name, .run = one_to_one<Way>()},
                 .only_threads = kOneToOneThreads,
                 .max_n = kOneToOneMost});
}
template <class Way>
void add_push_pop_side(Registry* registry, const std::string& container, const std::string& peer) {
  registry->add_side(container, "push_pop", {.name = peer, .run = push_pop<Way>()});
  registry->add_side(container, "one_to_one", {.name = peer, .run = one_to_one<Way>()});
}

}  // namespace scree::bench
