// SPDX-License-Identifier: Apache-2.0
//
// Vector clocks of an execution: one slot for each thread, which counts its steps, and one that counts seq_cst
// operations.

#pragma once

#include <cstdint>

namespace scree::model {

inline constexpr int kMaxThreads = 5;  // the program itself (set-up and end) and four threads
inline constexpr int kScSlot = kMaxThreads;
inline constexpr int kSlots = kMaxThreads + 1;

using Time = std::int16_t;
inline constexpr std::uint32_t kMaxSteps = 15000;  // a step takes at most two ticks of a Time

struct Clock {
  using Lanes [[gnu::vector_size(16)]] = Time;
  Lanes times{};

  Time operator[](int slot) const { return times[slot]; }
  void set(int slot, Time time) { times[slot] = time; }
  void join(const Clock& other) { times = times > other.times ? times : other.times; }
};

// What one thread passes to another. `view` holds all of `happened`, and what seq_cst fences forbid to miss although it
// did not happen before: it hides old writes, but orders no plain accesses.
struct Knowledge {
  Clock happened;
  Clock view;

  void join(const Knowledge& other) {
    happened.join(other.happened);
    view.join(other.view);
  }
};

}  // namespace scree::model
