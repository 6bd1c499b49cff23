// SPDX-License-Identifier: Apache-2.0
//
// What product code takes from the operating system, as the explorer provides it: the process-wide barrier,
// variables of one thread or one process (here: one execution), and calls at a thread's exit.

#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace scree {

template <class T>
class Atomic;

}  // namespace scree

namespace scree::model {

bool membarrier_register() noexcept;
bool membarrier_call(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept;

// Sleeps until `word` is not `old`; the address given to futex_wake() may be that of a word that is gone.
void futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t old, const char* file = __builtin_FILE(),
                int line = __builtin_LINE()) noexcept;
void futex_wake(const void* word, const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept;

// Runs in the calling thread after its body, latest first; its operations are steps like any other.
void at_thread_exit(void (*function)(void*), void* argument);

// A line in the trace, not a step.
void sync_point(const char* name) noexcept;

// For a loop that waits for another thread: lets the others run until one of them writes.
void yield(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept;

namespace detail {

// 0 outside every execution.
std::uint64_t execution_number() noexcept;
int thread_number() noexcept;
inline constexpr int kThreadNumbers = 5;
// Its constructor and destructor are no steps, and happen before and after all of them.
void* construct_per_execution(std::size_t size, std::size_t alignment, void (*construct)(void*),
                              void (*destroy)(void*));

}  // namespace detail

// Constructed on first use in each execution, as if before its threads began; destroyed at its end, in reverse
// order, after the program's own objects. Outside every execution: one for the process.
template <class T>
T& per_execution() {
  static T* object = nullptr;
  static std::uint64_t execution = ~std::uint64_t{0};
  const std::uint64_t now = detail::execution_number();
  if (now == 0) {
    static T* const outside = new T();
    return *outside;
  }
  if (execution != now) {
    object = static_cast<T*>(detail::construct_per_execution(
        sizeof(T), alignof(T), [](void* memory) { ::new (memory) T(); },
        [](void* memory) { static_cast<T*>(memory)->~T(); }));
    execution = now;
  }
  return *object;
}

// Plain data, value-initialised for each thread of each execution. Two variables of one type differ by their Tag.
template <class T, class Tag = T>
T& per_thread() {
  static T values[detail::kThreadNumbers];
  static std::uint64_t executions[detail::kThreadNumbers];
  const int thread = detail::thread_number();
  const std::uint64_t now = detail::execution_number();
  if (executions[thread] != now) {
    values[thread] = T();
    executions[thread] = now;
  }
  return values[thread];
}

}  // namespace scree::model
