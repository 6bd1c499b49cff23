// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <scree/atomic.h>

namespace scree::detail {

// A count that many threads add to: each adds in one of a few places of its own, a sum is taken when asked for.
class StripedCounter {
 public:
  void add(std::uint64_t n = 1) noexcept { stripes_[stripe()].value.fetch_add(n, memory_order_relaxed); }
  std::uint64_t sum() const noexcept {
    std::uint64_t total = 0;
    for (const Stripe& s : stripes_) total += s.value.load(memory_order_relaxed);
    return total;
  }

 private:
  static constexpr std::size_t kStripes = 16;
  struct alignas(64) Stripe {
    Atomic<std::uint64_t> value{0};
  };

  static std::size_t stripe() noexcept {
    static Atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, memory_order_relaxed) % kStripes;
    return mine;
  }

  std::array<Stripe, kStripes> stripes_;
};

}  // namespace scree::detail
