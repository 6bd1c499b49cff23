// SPDX-License-Identifier: Apache-2.0
//
// Stack: a lock-free last-in-first-out container, after R. K. Treiber, "Systems programming: coping with parallelism"
// (1986), with reclamation by epochs.
//
//   Progress       push, emplace, pop, push_if, pop_if: lock-free, constant time without contention, plus
//                  the condition; pop_all, peek, is_empty: wait-free; len, iteration: wait-free for each entry, as new
//                  ones go on top
//   Linearizable   all of these; what iter(), len() and pop_all() see is what the stack holds at one instant
//   Entries        live as long as the handle that push() returned, the container or the handle that pop() returned
//                  has them; what was borrowed under a barrier stays valid until it ends, also if the stack goes
//   Exceptions     if a constructor of T, a condition or an allocation throws, the stack has not changed
//
// Protocol: docs/protocols/stack.md. Its steps are numbered here.

#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/entry_handle.h>
#include <scree/detail/index_memory.h>
#include <scree/detail/sequence_results.h>
#include <scree/detail/two_owners.h>
#include <scree/ebr.h>
#include <scree/sync_point.h>

namespace scree {

namespace detail {

template <class T>
class StackEntry {
 public:
  template <class... Args>
  explicit StackEntry(std::in_place_t, Args&&... args) : value_(std::forward<Args>(args)...) {}

  T& value() noexcept { return value_; }
  const T& value() const noexcept { return value_; }

  // Throws what the constructor throws, or std::bad_alloc.
  template <class... Args>
  static StackEntry* make(Args&&... args) {
    return make_in<alignof(StackEntry)>(HeapMemory(), sizeof(StackEntry), [&](void* block) {
      return ::new (block) StackEntry(std::in_place, std::forward<Args>(args)...);
    });
  }
  static void free(StackEntry* entry) noexcept {
    std::destroy_at(entry);
    HeapMemory::free<alignof(StackEntry)>(entry, sizeof(StackEntry));
  }
  static void first_lets_go(StackEntry* entry) noexcept {
    if (entry->owners_.first_lets_go()) free(entry);
  }
  static void second_lets_go(StackEntry* entry) noexcept {
    entry->owners_.second_lets_go(entry, &free_after_grace, sizeof(StackEntry));
  }

  Plain<StackEntry*> next = nullptr;  // immutable once the entry is published

 private:
  static void free_after_grace(void* p) {
    auto* const entry = static_cast<StackEntry*>(p);
    if (entry->owners_.is_free_after_grace()) free(entry);
  }

  TwoOwners owners_;
  T value_;
};

}  // namespace detail

template <class T>
class Stack {
  using Entry = detail::StackEntry<T>;

 public:
  using value_type = T;
  using Handle = detail::EntryHandle<Entry>;
  class Iterator;
  class Range;
  class Popped;

  using PushResult = detail::PushResult<T, Handle>;
  using PopOutcome = detail::PopOutcome;
  using PopResult = detail::PopResult<Handle>;

  Stack() noexcept = default;
  // No operation may be under way. Barriers may be held, by this thread, too.
  ~Stack() { pop_all(); }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Each returns a handle to the new entry. Throws what the constructor of T throws, or std::bad_alloc; `value` is left
  // alone then.
  Handle push(const T& value) requires std::is_copy_constructible_v<T> { return emplace(value); }
  Handle push(T&& value) { return emplace(std::move(value)); }
  template <class... Args>
  Handle emplace(Args&&... args) {
    // This needs the thread's record, by which the handle lets go later: without memory for that, it fails here.
    Entry* const entry = Entry::make(std::forward<Args>(args)...);
    Entry* newest = newest_.load(memory_order_relaxed);
    do {
      entry->next = newest;
      SCREE_SYNC_POINT("stack:push:linked");
    } while (!newest_.compare_exchange_weak(newest, entry, memory_order_release, memory_order_relaxed));  // [X1]
    return Handle::first(entry);
  }

  // Pushes if `condition(const T* newest)`, null for an empty stack, is true of the entry that `value` goes on top of.
  // The condition may be asked again and again, while others change the stack. Also throws what the condition throws,
  // and what moving T throws.
  //
  // If anything throws `value` is as it was, unless T's move constructor throws and does not leave it so. (Where the
  // condition was true and is asked again it is moved back; if T has no move assignment that is noexcept, it is lost
  // then.)
  template <class Condition>
  PushResult push_if(const T& value, Condition&& condition) requires std::is_copy_constructible_v<T> {
    return push_if(T(value), std::forward<Condition>(condition));
  }
  template <class Condition>
  PushResult push_if(T&& value, Condition&& condition) {
    const ebr::Barrier barrier;
    Unpushed entry(value);
    Entry* newest = newest_.load(memory_order_acquire);  // [X4]
    do {
      if (!condition(value_of(newest))) return {Handle(), std::optional<T>(std::move(entry.value()))};
      if (entry.made == nullptr) entry.made = Entry::make(std::move(value));
      entry.made->next = newest;
      SCREE_SYNC_POINT("stack:push_if:linked");
    } while (!newest_.compare_exchange_weak(newest, entry.made, memory_order_release, memory_order_acquire));  // [X5]
    return {Handle::first(std::exchange(entry.made, nullptr)), std::nullopt};
  }

  // Null if the stack is empty.
  Handle pop() {
    return pop_if([](const T&) { return true; }).entry;
  }

  // Pops the newest entry if `condition(const T&)` is true of it. The condition may be asked again and again, of
  // whatever is the newest entry by then. Throws what it throws.
  template <class Condition>
  PopResult pop_if(Condition&& condition) {
    // Before the barrier, also to wait there for the line of `newest_`, which others write: whoever loses its processor
    // inside a barrier makes all garbage wait.
    if (is_empty()) return {Handle(), PopOutcome::kEmpty};
    const ebr::Barrier barrier;
    Entry* newest = newest_.load(memory_order_acquire);  // [X2]
    while (newest != nullptr) {
      if (!condition(std::as_const(*newest).value())) return {Handle(), PopOutcome::kRefused};
      Entry* const next = newest->next;
      SCREE_SYNC_POINT("stack:pop:read");
      if (newest_.compare_exchange_weak(newest, next, memory_order_acquire)) {  // [X3]
        return {Handle::second(newest), PopOutcome::kPopped};
      }
    }
    return {Handle(), PopOutcome::kEmpty};
  }

  // Takes all entries at one instant.
  Popped pop_all() noexcept { return Popped(newest_.exchange(nullptr, memory_order_acquire)); }  // [X6]

  // The newest value, or null. Valid until the barrier ends.
  const T* peek([[maybe_unused]] const ebr::Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept {
    return value_of(newest_.load(memory_order_acquire));  // [X7]
  }
  const T* peek(const ebr::Barrier&&) const = delete;

  // What `f(const T* newest)` returns, null for an empty stack.
  template <class F>
  decltype(auto) peek_with(F&& f) const {
    const ebr::Barrier barrier;
    return std::forward<F>(f)(peek(barrier));
  }

  // The values that the stack holds now, the newest first: for (const T& value : stack.iter(barrier)). Valid until the
  // barrier ends.
  Range iter([[maybe_unused]] const ebr::Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept {
    return Range(newest_.load(memory_order_acquire));  // [X8]
  }
  Range iter(const ebr::Barrier&&) const = delete;

  // O(n).
  std::size_t len() const {
    const ebr::Barrier barrier;
    return static_cast<std::size_t>(std::ranges::distance(iter(barrier)));
  }
  bool is_empty() const noexcept { return newest_.load(memory_order_relaxed) == nullptr; }  // [X9]

 private:
  // A value on its way into the stack: the caller's, or in an entry. From there it goes back to the caller's in the
  // end, if that cannot fail.
  struct Unpushed {
    explicit Unpushed(T& value) noexcept : callers(value) {}
    ~Unpushed() {
      if (made == nullptr) return;
      if constexpr (detail::kMovesBack<T>) callers = std::move(made->value());
      Entry::free(made);
    }
    Unpushed(const Unpushed&) = delete;
    Unpushed& operator=(const Unpushed&) = delete;

    T& value() noexcept { return made == nullptr ? callers : made->value(); }

    T& callers;
    Entry* made = nullptr;
  };

  static const T* value_of(const Entry* entry) noexcept { return entry == nullptr ? nullptr : &entry->value(); }

  // A line of its own: whoever is beside it would be slowed down by every push and pop.
  alignas(64) Atomic<Entry*> newest_{nullptr};
};

template <class T>
class Stack<T>::Iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using reference = const T&;

  Iterator() noexcept = default;
  reference operator*() const noexcept { return entry_->value(); }
  const T* operator->() const noexcept { return &entry_->value(); }
  Iterator& operator++() noexcept {
    entry_ = entry_->next;
    return *this;
  }
  Iterator operator++(int) noexcept {
    Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator&, const Iterator&) noexcept = default;
  friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.entry_ == nullptr; }

 private:
  friend class Range;
  friend class Popped;
  explicit Iterator(const Entry* entry) noexcept : entry_(entry) {}

  const Entry* entry_ = nullptr;
};

// What a stack held at one instant. May be walked again and again until its barrier ends.
template <class T>
class Stack<T>::Range {
 public:
  Iterator begin() const noexcept { return Iterator(newest_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class Stack;
  explicit Range(const Entry* newest) noexcept : newest_(newest) {}

  const Entry* newest_;
};

// Owns what pop_all() took, and lets go of what is still there at its end. The newest comes first.
template <class T>
class Stack<T>::Popped {
 public:
  Popped() noexcept = default;
  Popped(Popped&& other) noexcept : newest_(std::exchange(other.newest_, nullptr)) {}
  Popped& operator=(Popped&& other) noexcept {
    Popped taken(std::move(other));
    std::swap(newest_, taken.newest_);
    return *this;
  }
  ~Popped() {
    while (pop()) {
    }
  }

  bool is_empty() const noexcept { return newest_ == nullptr; }
  // The next entry; null if there is none.
  Handle pop() noexcept {
    Entry* const entry = newest_;
    if (entry == nullptr) return Handle();
    newest_ = entry->next;
    return Handle::second(entry);
  }

  // Of those that were not popped from here, valid as long as they are not.
  Iterator begin() const noexcept { return Iterator(newest_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class Stack;
  explicit Popped(Entry* newest) noexcept : newest_(newest) {}

  Entry* newest_ = nullptr;
};

}  // namespace scree
