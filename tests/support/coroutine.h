// SPDX-License-Identifier: Apache-2.0
//
// The plainest coroutine: it runs until it is first suspended, and whoever has the object may destroy it.

#pragma once

#include <coroutine>
#include <exception>
#include <utility>

namespace scree::test {

class [[nodiscard]] Coroutine {
 public:
  struct promise_type {
    Coroutine get_return_object() noexcept {
      return Coroutine(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };

  Coroutine() noexcept = default;
  Coroutine(Coroutine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Coroutine& operator=(Coroutine&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Coroutine() { destroy(); }

  bool is_done() const noexcept { return handle_.done(); }
  std::coroutine_handle<> handle() const noexcept { return handle_; }
  void resume() const { handle_.resume(); }
  // Somebody else destroys it.
  void release() noexcept { handle_ = nullptr; }
  void destroy() noexcept {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }

 private:
  explicit Coroutine(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

}  // namespace scree::test
