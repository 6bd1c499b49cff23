// SPDX-License-Identifier: Apache-2.0
//
// HashHolder: what checked builds (SCREE_CHECKED is 1 in every translation unit) know of the threads that hold a bucket
// of a hash container: one that wants to wait for a second bucket of the same container might wait for itself, or for
// somebody who waits for it. The program ends with a message instead. In the product it is empty; so it is under the
// explorer, whose threads are fibers of one.
//
// What a coroutine holds is nobody's: it may go on on another thread, and waits without blocking one.

#pragma once

#if SCREE_CHECKED && !SCREE_MODEL
#include <array>
#include <cstddef>
#include <mutex>

#include <scree/detail/misuse.h>
#endif

namespace scree::detail {

#if SCREE_CHECKED && !SCREE_MODEL

class HashHolder {
 public:
  HashHolder() noexcept = default;  // nobody
  // The calling thread, of a bucket of that container.
  explicit HashHolder(const void* container) noexcept;
  // On any thread.
  void ends() const noexcept;
  // Before the calling thread may wait.
  static void check(const void* container) noexcept;

 private:
  struct All;
  static All& all() noexcept;
  static const void* this_thread() noexcept {
    thread_local char address;
    return &address;
  }
  bool is(const void* thread, const void* container) const noexcept {
    return thread_ == thread && container_ == container;
  }

  const void* thread_ = nullptr;
  const void* container_ = nullptr;
};

struct HashHolder::All {
  static constexpr std::size_t kMost = 1024;  // more are not known

  std::mutex mutex;
  std::array<HashHolder, kMost> holders;
  std::size_t count = 0;
};

inline HashHolder::All& HashHolder::all() noexcept {
  static All all;
  return all;
}
inline HashHolder::HashHolder(const void* container) noexcept : thread_(this_thread()), container_(container) {
  All& known = all();
  const std::lock_guard<std::mutex> lock(known.mutex);
  if (known.count != All::kMost) known.holders[known.count++] = *this;
}
inline void HashHolder::ends() const noexcept {
  if (thread_ == nullptr) return;
  All& known = all();
  const std::lock_guard<std::mutex> lock(known.mutex);
  for (std::size_t n = 0; n < known.count; ++n) {
    if (!known.holders[n].is(thread_, container_)) continue;
    known.holders[n] = known.holders[--known.count];
    return;
  }
}
inline void HashHolder::check(const void* container) noexcept {
  All& known = all();
  const std::lock_guard<std::mutex> lock(known.mutex);
  for (std::size_t n = 0; n < known.count; ++n) {
    if (known.holders[n].is(this_thread(), container))
      misused("a hash container is used by who holds one of its entries");
  }
}

#else

class HashHolder {
 public:
  HashHolder() noexcept = default;
  explicit HashHolder(const void*) noexcept {}
  void ends() const noexcept {}
  static void check(const void*) noexcept {}
};

#endif

}  // namespace scree::detail
