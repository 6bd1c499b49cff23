// SPDX-License-Identifier: Apache-2.0
//
// What a coroutine awaits for an operation of an index that may have to wait. The operation is tried at once, and
// needs no memory of its own where it succeeds. Where it is refused for a lock, a coroutine of the awaiter's waits
// until that has been released, and tries again. It is not handed the lock: others who need it would wait until an
// executor comes to resume the coroutine, and two coroutines could refuse each other for ever.
//
// A ResumeHook, always that of the thread on which the wait began, is given the awaiter's coroutine. That stands for
// the one that awaits: it resumes that in the end, and takes it along if it is destroyed.

#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/ebr.h>
#include <scree/lock.h>
#include <scree/resume_hook.h>

namespace scree::detail {

// `Try`: what is called with a barrier and a Refusal, and returns an optional result; none if it was refused, or, where
// it was not, if there is more to do, under another barrier.
// Awaited once, where it was made, by a coroutine that holds no barrier then. It may be destroyed while it waits.
template <class Refusal, class Try>
class [[nodiscard]] RetryAwaiter {
  using Result = typename std::invoke_result_t<Try&, const ebr::Barrier&, Refusal&>::value_type;

 public:
  explicit RetryAwaiter(Try attempt) : attempt_(std::move(attempt)) {}
  RetryAwaiter(const RetryAwaiter&) = delete;
  RetryAwaiter& operator=(const RetryAwaiter&) = delete;
  ~RetryAwaiter() {
    if (!rest_) return;
    rest_.promise().awaiting = nullptr;
    rest_.destroy();
  }

  bool await_ready() {
    ebr::check_suspension();
    return succeeds();
  }
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
        return std::exchange(ended.promise().awaiting, nullptr);
      }
      void await_resume() const noexcept {}
    };
    struct promise_type {
      explicit promise_type(RetryAwaiter& whose) noexcept : awaiter(whose) {}
      promise_type(const promise_type&) = delete;
      promise_type& operator=(const promise_type&) = delete;
      ~promise_type() {
        if (!awaiting) return;
        awaiter.rest_ = nullptr;
        awaiting.destroy();
      }
      Rest get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      std::suspend_always initial_suspend() const noexcept { return {}; }
      BackToAwaiting final_suspend() const noexcept { return {}; }
      void return_void() const noexcept {}
      void unhandled_exception() noexcept { awaiter.error_ = std::current_exception(); }

      RetryAwaiter& awaiter;
      std::coroutine_handle<> awaiting;
    };
    std::coroutine_handle<promise_type> coroutine;
  };

  static Rest wait_and_try_again(RetryAwaiter& self) {
    ResumeHook* const hook = resume_hook();
    do {
      // Where it has been killed instead, the operation goes another way.
      static_cast<void>(co_await self.refusal_.lock().until_released_async(hook));
      self.refusal_.forget();
    } while (!self.succeeds());
  }

  bool succeeds() {
    do {
      const ebr::Barrier barrier;
      if (auto result = attempt_(barrier, refusal_)) result_.emplace(*std::move(result));
    } while (!result_ && !refusal_);
    return result_.has_value();
  }

  Try attempt_;
  Refusal refusal_;
  std::optional<Result> result_;
  std::exception_ptr error_;
  std::coroutine_handle<typename Rest::promise_type> rest_;  // goes before the refusal: it may wait for that lock
};

}  // namespace scree::detail
