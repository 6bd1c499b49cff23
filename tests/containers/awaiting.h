// SPDX-License-Identifier: Apache-2.0
//
// What the tests of awaitable operations share, whatever container they are of.

#pragma once

#include <coroutine>
#include <mutex>
#include <vector>

#include <scree/ebr.h>
#include <scree/resume_hook.h>

#include "support/coroutine.h"

namespace scree::test {

inline bool is_outside() {
  const ebr::detail::Record* const record = ebr::detail::this_record();
  return record == nullptr || record->is_outside();
}

// Keeps what it is given.
class Collects final : public ResumeHook {
 public:
  void resume(std::coroutine_handle<> coroutine) noexcept override { collected.push_back(coroutine); }
  // Until none of them waits any more.
  void resume_all() {
    while (!collected.empty()) {
      const ResumeScope scope(*this);
      const auto last = collected.back();
      collected.pop_back();
      last.resume();
    }
  }

  std::vector<std::coroutine_handle<>> collected;
};

// A coroutine that is either resumed or destroyed, where both come together.
class Guarded final : public ResumeHook {
 public:
  void resume(std::coroutine_handle<> handle) noexcept override {
    const std::lock_guard lock(mutex_);
    if (!is_destroyed_) handle.resume();
  }
  template <class Begin>
  void begin(const Begin& begin_coroutine) {
    const std::lock_guard lock(mutex_);
    const ResumeScope scope(*this);
    coroutine_ = begin_coroutine();
  }
  void destroy() {
    const std::lock_guard lock(mutex_);
    is_destroyed_ = true;
    coroutine_.destroy();
  }

 private:
  std::mutex mutex_;
  Coroutine coroutine_;
  bool is_destroyed_ = false;
};

}  // namespace scree::test
