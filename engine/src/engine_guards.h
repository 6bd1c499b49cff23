// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <limits>

#include "engine_core.h"

namespace scree {

// Counts an operation in, unless close() has begun; close() waits until all are out.
class OperationGuard {
 public:
  // Added to a count when the engine closes: whoever sees a negative count stays out.
  static constexpr std::int64_t kClosed = std::numeric_limits<std::int64_t>::min() / 2;

  explicit OperationGuard(Atomic<std::int64_t>& count) noexcept
      : count_(count), in_(count.fetch_add(1, memory_order_acq_rel) >= 0) {}
  ~OperationGuard() {
    if (count_.fetch_sub(1, memory_order_acq_rel) == kClosed + 1) count_.notify_all();
  }
  OperationGuard(const OperationGuard&) = delete;
  OperationGuard& operator=(const OperationGuard&) = delete;

  explicit operator bool() const noexcept { return in_; }

  // Keeps later operations out and waits for those that are in. Once per count.
  static void close(Atomic<std::int64_t>& count) noexcept {
    std::int64_t now = count.fetch_add(kClosed, memory_order_acq_rel) + kClosed;
    while (now != kClosed) {
      count.wait(now, memory_order_acquire);
      now = count.load(memory_order_acquire);
    }
  }

 private:
  Atomic<std::int64_t>& count_;
  const bool in_;
};

class EngineCore::WriteGuard : public OperationGuard {
 public:
  explicit WriteGuard(const EngineCore& core) noexcept : OperationGuard(core.writes_in_flight_) {}
};

class EngineCore::ReadGuard : public OperationGuard {
 public:
  explicit ReadGuard(const EngineCore& core) noexcept : OperationGuard(core.reads_in_flight_) {}
};

}  // namespace scree
