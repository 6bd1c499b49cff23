// SPDX-License-Identifier: Apache-2.0
//
// What <scree/atomic.h> provides where SCREE_MODEL is 1: std::atomic's interface, each operation of which is a step of
// the explorer, and Plain, whose accesses are checked for data races. In an execution the engine holds an Atomic's
// value and history; the member keeps what it was constructed with, so that variables of static storage begin each
// execution alike.

#pragma once

#include <scree_model/hooks.h>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace scree {

template <class T>
class Plain;

namespace model {

template <class T>
struct Difference {
  using Type = T;
};
template <class T>
struct Difference<T*> {
  using Type = std::ptrdiff_t;
};

// The order of a failed compare-exchange where only one is given.
constexpr std::memory_order failure_order(std::memory_order order) noexcept {
  if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
  if (order == std::memory_order_release) return std::memory_order_relaxed;
  return order;
}

}  // namespace model

template <class T>
class Atomic {
  using Bits = model::hooks::Bits;
  using Site = model::hooks::Site;
  static constexpr std::memory_order kSeqCst = std::memory_order_seq_cst;

 public:
  using value_type = T;
  using difference_type = typename model::Difference<T>::Type;
  static constexpr bool is_always_lock_free = true;

  constexpr Atomic() noexcept(std::is_nothrow_default_constructible_v<T>) requires std::default_initializable<T>
      : Atomic(T()) {}
  // NOLINTNEXTLINE(google-explicit-constructor): as std::atomic
  constexpr Atomic(T value) noexcept : value_(value) {
    if (!std::is_constant_evaluated() && model::hooks::active) model::hooks::construct_atomic(object());
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;
  constexpr ~Atomic() {
    if (!std::is_constant_evaluated() && model::hooks::active) model::hooks::destroy(this);
  }

  bool is_lock_free() const noexcept { return true; }

  T load(std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
         int line = __builtin_LINE()) const noexcept {
    if (!model::hooks::active) return value_;
    return model::hooks::from_bits<T>(model::hooks::load(object(), order, Site{file, line}));
  }
  void store(T value, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) noexcept {
    if (!model::hooks::active) {
      value_ = value;
    } else {
      model::hooks::store(object(), model::hooks::to_bits(value), order, Site{file, line});
    }
  }
  T exchange(T value, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) noexcept {
    return modify([](T, T operand) { return operand; }, value, order, Site{file, line}, "exchange");
  }

  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return compare_exchange(expected, desired, success, failure, false, Site{file, line});
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = kSeqCst,
                               const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return compare_exchange(expected, desired, order, model::failure_order(order), false, Site{file, line});
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return compare_exchange(expected, desired, success, failure, true, Site{file, line});
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order = kSeqCst,
                             const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return compare_exchange(expected, desired, order, model::failure_order(order), true, Site{file, line});
  }

  // What is expected may stand in a Plain: it is read, and written where the exchange fails.
  template <std::same_as<Plain<T>> P, class... Rest>
  bool compare_exchange_strong(P& expected, T desired, std::memory_order success, std::memory_order failure,
                               const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return compare_exchange_plain(expected, desired, success, failure, false, Site{file, line});
  }
  template <std::same_as<Plain<T>> P, class... Rest>
  bool compare_exchange_weak(P& expected, T desired, std::memory_order success, std::memory_order failure,
                             const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return compare_exchange_plain(expected, desired, success, failure, true, Site{file, line});
  }

  T fetch_add(difference_type operand, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) noexcept {
    return modify([](T old, difference_type by) { return static_cast<T>(old + by); }, operand, order, Site{file, line},
                  "fetch_add");
  }
  T fetch_sub(difference_type operand, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) noexcept {
    return modify([](T old, difference_type by) { return static_cast<T>(old - by); }, operand, order, Site{file, line},
                  "fetch_sub");
  }
  T fetch_and(T operand, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) noexcept {
    return modify([](T old, T by) { return static_cast<T>(old & by); }, operand, order, Site{file, line}, "fetch_and");
  }
  T fetch_or(T operand, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) noexcept {
    return modify([](T old, T by) { return static_cast<T>(old | by); }, operand, order, Site{file, line}, "fetch_or");
  }
  T fetch_xor(T operand, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
              int line = __builtin_LINE()) noexcept {
    return modify([](T old, T by) { return static_cast<T>(old ^ by); }, operand, order, Site{file, line}, "fetch_xor");
  }

  void wait(T old, std::memory_order order = kSeqCst, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) const noexcept {
    if (model::hooks::active) model::hooks::wait(object(), model::hooks::to_bits(old), order, Site{file, line});
  }
  void notify_one(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    if (model::hooks::active) model::hooks::notify(object(), false, Site{file, line});
  }
  void notify_all(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    if (model::hooks::active) model::hooks::notify(object(), true, Site{file, line});
  }

  operator T() const noexcept { return load(); }  // NOLINT(google-explicit-constructor): as std::atomic
  T operator=(T value) noexcept {                 // NOLINT(misc-unconventional-assign-operator): as std::atomic
    store(value);
    return value;
  }
  T operator++() noexcept { return static_cast<T>(fetch_add(1) + 1); }
  T operator--() noexcept { return static_cast<T>(fetch_sub(1) - 1); }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--(int) noexcept { return fetch_sub(1); }
  T operator+=(difference_type by) noexcept { return static_cast<T>(fetch_add(by) + by); }
  T operator-=(difference_type by) noexcept { return static_cast<T>(fetch_sub(by) - by); }
  T operator&=(T by) noexcept { return static_cast<T>(fetch_and(by) & by); }
  T operator|=(T by) noexcept { return static_cast<T>(fetch_or(by) | by); }
  T operator^=(T by) noexcept { return static_cast<T>(fetch_xor(by) ^ by); }

 private:
  model::hooks::Object object() const noexcept { return {this, model::hooks::to_bits(value_), sizeof(T)}; }

  template <class Function, class Operand>
  T modify(Function, Operand operand, std::memory_order order, Site site, const char* what) noexcept {
    if (!model::hooks::active) return std::exchange(value_, Function()(value_, operand));
    const model::hooks::Modify function = [](const Bits& old, const Bits& bits) {
      return model::hooks::to_bits<T>(
          Function()(model::hooks::from_bits<T>(old), model::hooks::from_bits<Operand>(bits)));
    };
    return model::hooks::from_bits<T>(
        model::hooks::modify(object(), function, model::hooks::to_bits(operand), order, site, what));
  }

  bool compare_exchange(T& expected, T desired, std::memory_order success, std::memory_order failure, bool weak,
                        Site site) noexcept {
    Bits bits = model::hooks::to_bits(expected);
    bool exchanged = false;
    if (model::hooks::active) {
      exchanged =
          model::hooks::compare_exchange(object(), bits, model::hooks::to_bits(desired), success, failure, weak, site);
    } else if (bits == model::hooks::to_bits(value_)) {
      value_ = desired;
      exchanged = true;
    } else {
      bits = model::hooks::to_bits(value_);
    }
    if (!exchanged) expected = model::hooks::from_bits<T>(bits);
    return exchanged;
  }

  bool compare_exchange_plain(Plain<T>& expected, T desired, std::memory_order success, std::memory_order failure,
                              bool weak, Site site) noexcept {
    T value = expected;
    const bool exchanged = compare_exchange(value, desired, success, failure, weak, site);
    if (!exchanged) expected = value;
    return exchanged;
  }

  T value_;
};

// A field without atomicity of its own. Each access must be ordered by happens-before with every conflicting one.
template <class T>
class Plain {
 public:
  [[gnu::always_inline]] constexpr Plain() noexcept { constructed(); }
  template <class U>
  requires std::convertible_to<U, T> &&(!std::same_as<std::remove_cvref_t<U>, Plain>)
      // NOLINTNEXTLINE(google-explicit-constructor): stands for a T
      [[gnu::always_inline]] constexpr Plain(U&& value) noexcept
      : value_(std::forward<U>(value)) {
    constructed();
  }
  [[gnu::always_inline]] constexpr Plain(const Plain& other) noexcept : value_(other.get()) { constructed(); }
  [[gnu::always_inline]] constexpr Plain& operator=(const Plain& other) noexcept { return set(other.get()); }
  template <class U>
  requires std::convertible_to<U, T> &&(!std::same_as<std::remove_cvref_t<U>, Plain>)
      [[gnu::always_inline]] constexpr Plain&
      operator=(U&& value) noexcept {
    return set(static_cast<T>(std::forward<U>(value)));
  }
  constexpr ~Plain() {
    if (!std::is_constant_evaluated() && model::hooks::active) model::hooks::destroy(this);
  }

  // NOLINTNEXTLINE(google-explicit-constructor): stands for a T
  [[gnu::always_inline]] constexpr operator T() const noexcept { return get(); }
  [[gnu::always_inline]] constexpr T operator->() const noexcept requires std::is_pointer_v<T> { return get(); }

  template <class U>
  [[gnu::always_inline]] constexpr Plain& operator+=(U by) noexcept {
    return set(static_cast<T>(get() + by));
  }
  template <class U>
  [[gnu::always_inline]] constexpr Plain& operator-=(U by) noexcept {
    return set(static_cast<T>(get() - by));
  }
  template <class U>
  [[gnu::always_inline]] constexpr Plain& operator|=(U by) noexcept {
    return set(static_cast<T>(get() | by));
  }
  template <class U>
  [[gnu::always_inline]] constexpr Plain& operator&=(U by) noexcept {
    return set(static_cast<T>(get() & by));
  }
  [[gnu::always_inline]] constexpr Plain& operator++() noexcept { return set(static_cast<T>(get() + 1)); }
  [[gnu::always_inline]] constexpr Plain& operator--() noexcept { return set(static_cast<T>(get() - 1)); }
  [[gnu::always_inline]] constexpr T operator++(int) noexcept {
    const T old = get();
    set(static_cast<T>(old + 1));
    return old;
  }
  [[gnu::always_inline]] constexpr T operator--(int) noexcept {
    const T old = get();
    set(static_cast<T>(old - 1));
    return old;
  }

 private:
  [[gnu::always_inline]] constexpr void constructed() noexcept {
    if (!std::is_constant_evaluated() && model::hooks::active) model::hooks::construct_plain(this);
  }
  [[gnu::always_inline]] constexpr T get() const noexcept {
    if (!std::is_constant_evaluated() && model::hooks::active) model::hooks::read_plain(this);
    return value_;
  }
  [[gnu::always_inline]] constexpr Plain& set(T value) noexcept {
    if (!std::is_constant_evaluated() && model::hooks::active) model::hooks::write_plain(this);
    value_ = value;
    return *this;
  }

  template <class U>
  friend constexpr const U& value_in(const Plain<U>& plain) noexcept;

  T value_;
};

template <class T>
constexpr const T& value_in(const Plain<T>& plain) noexcept {
  static_cast<void>(plain.get());
  return plain.value_;
}

inline void thread_fence(std::memory_order order, const char* file = __builtin_FILE(),
                         int line = __builtin_LINE()) noexcept {
  if (model::hooks::active) model::hooks::fence(order, {file, line});
}

inline void compiler_fence(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
  if (model::hooks::active) model::hooks::compiler_fence({file, line});
}

}  // namespace scree
