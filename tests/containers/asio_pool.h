// SPDX-License-Identifier: Apache-2.0
//
// Coroutines on a thread pool of Asio's. Included before Asio itself.

#pragma once

// ThreadSanitizer does not see fences. Asio's queues are under mutexes all the same.
#define ASIO_DISABLE_FENCED_BLOCK
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <coroutine>

#include <scree/resume_hook.h>

namespace scree::test {

// Brings coroutines back to a pool, whichever thread lets them on.
class PoolHook final : public ResumeHook {
 public:
  explicit PoolHook(asio::thread_pool& pool) : pool_(pool) {}
  void resume(std::coroutine_handle<> coroutine) noexcept override {
    waits.fetch_add(1, std::memory_order_relaxed);  // orders nothing that the tests are about
    post(coroutine);
  }
  void post(std::coroutine_handle<> coroutine) {
    asio::post(pool_, [this, coroutine] {
      const ResumeScope scope(*this);
      coroutine.resume();
    });
  }

  std::atomic<int> waits{0};

 private:
  asio::thread_pool& pool_;
};

// Goes on in the pool.
struct Schedule {
  PoolHook& hook;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) const { hook.post(coroutine); }
  void await_resume() const noexcept {}
};

}  // namespace scree::test
