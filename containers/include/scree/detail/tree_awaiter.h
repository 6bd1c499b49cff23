// SPDX-License-Identifier: Apache-2.0
//
// What a coroutine awaits for an operation of a TreeIndex that may have to wait. The operation is tried at once, and
// needs no memory of its own where it succeeds. Where it is refused for a lock, a coroutine of the awaiter's waits for
// that lock and tries again. The lock is only waited for: a change takes its locks without waiting, or not at all.

#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/ebr.h>
#include <scree/lock.h>

namespace scree::detail {

// `Try`: what is called with a barrier and a Refusal, and returns an optional result; none if it was refused.
// Awaited once, where it was made, by a coroutine that holds no barrier then. It may be destroyed while it waits.
template <class Refusal, class Try>
class [[nodiscard]] TreeAwaiter {
  using Result = typename std::invoke_result_t<Try&, const ebr::Barrier&, Refusal&>::value_type;

 public:
  explicit TreeAwaiter(Try attempt) : attempt_(std::move(attempt)) {}
  TreeAwaiter(const TreeAwaiter&) = delete;
  TreeAwaiter& operator=(const TreeAwaiter&) = delete;
  ~TreeAwaiter() {
    if (rest_) rest_.destroy();
  }

  bool await_ready() { return succeeds(); }
  // Throws std::bad_alloc where there is no memory for the coroutine that waits.
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) {
    rest_ = wait_and_try_again(*this).coroutine;
    rest_.promise().awaiting = awaiting;
    return rest_;
  }
  Result await_resume() {
    if (error_) std::rethrow_exception(error_);
    return *std::move(result_);
  }

 private:
  struct Rest {
    struct promise_type;
    struct BackToAwaiting {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
        return ended.promise().awaiting;
      }
      void await_resume() const noexcept {}
    };
    struct promise_type {
      explicit promise_type(TreeAwaiter& whose) noexcept : awaiter(whose) {}
      Rest get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      std::suspend_always initial_suspend() const noexcept { return {}; }
      BackToAwaiting final_suspend() const noexcept { return {}; }
      void return_void() const noexcept {}
      void unhandled_exception() noexcept { awaiter.error_ = std::current_exception(); }

      TreeAwaiter& awaiter;
      std::coroutine_handle<> awaiting;
    };
    std::coroutine_handle<promise_type> coroutine;
  };

  static Rest wait_and_try_again(TreeAwaiter& self) {
    do {
      Lock& lock = self.refusal_.lock();
      const bool held = co_await lock.lock_async();
      if (held) lock.unlock();
      self.refusal_.forget();
    } while (!self.succeeds());
  }

  bool succeeds() {
    const ebr::Barrier barrier;
    result_ = attempt_(barrier, refusal_);
    return result_.has_value();
  }

  Try attempt_;
  Refusal refusal_;
  std::optional<Result> result_;
  std::exception_ptr error_;
  std::coroutine_handle<typename Rest::promise_type> rest_;  // goes before the refusal: it may be waiting for its lock
};

}  // namespace scree::detail
