// SPDX-License-Identifier: Apache-2.0
//
// Barriers, and what is deferred until they have ended. ebr.h says what this is for.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/ebr_checked.h>
#include <scree/detail/ebr_thread.h>

namespace scree::ebr {

template <class T>
class Arc;

// A protected region of the calling thread. Nests; belongs to the thread that made it; never held across a
// suspension of a coroutine. Entering and leaving are wait-free and cost no fence; a nested one is a counter. One
// barrier may serve any number of operations: the longer it is held, the more garbage waits, of all threads; they go on
// at the same speed.
class Barrier : private detail::LiveBarrier {
 public:
  // The first on a thread allocates its record, and may throw std::bad_alloc.
  Barrier() : Barrier(detail::current_record()) {}
  ~Barrier() {
    detail::Domain::exit(record_);
    if (record_.after_barriers != nullptr && record_.is_outside()) [[unlikely]] {
      record_.run_what_waits();
    }
  }
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Runs `f()` once, on some thread, after every barrier that is held now has ended. It must not throw, and may use
  // everything here. Throws what copying `f` throws, or std::bad_alloc, and then does nothing. (Where memory is so
  // short that what is retired cannot be remembered, `f` is leaked and never run: Stats::leaked_objects.)
  template <class F>
  void defer_execute(F&& f) const {
    using Function = std::decay_t<F>;
    retire(
        new Function(std::forward<F>(f)),
        [](void* p) {
          std::unique_ptr<Function> function(static_cast<Function*>(p));
          (*function)();
        },
        sizeof(Function));
  }

  // Runs `f()` again and again, each time after a further grace period, until it returns true: for work that is to be
  // cut into bounded pieces. Otherwise as defer_execute.
  template <class F>
  void defer_incremental_execute(F&& f) const {
    using Function = std::decay_t<F>;
    retire(new Function(std::forward<F>(f)), &run_piece<Function>, sizeof(Function));
  }

  // Deletes `object` once no barrier can reach it. It is already unreachable for barriers that begin from now on.
  // `bytes`: what it holds, so that heavy garbage is collected sooner. Its destructor must not throw, and may use
  // everything here.
  template <class T>
  void retire(T* object, std::size_t bytes = sizeof(T)) const noexcept {
    retire(
        static_cast<void*>(const_cast<std::remove_const_t<T>*>(object)), [](void* p) { delete static_cast<T*>(p); },
        bytes);
  }
  // The same, freed by `reclaim(object)`. Lock-free; frees at most four objects that were retired before.
  void retire(void* object, void (*reclaim)(void*), std::size_t bytes) const noexcept {
    check_thread();
    detail::domain().retire(record_, {object, reclaim}, bytes);
  }

  // Drops `arc` once every barrier that is held now has ended.
  template <class T>
  void defer(Arc<T> arc) const {
    defer_execute([held = std::move(arc)] {});
  }

 private:
  template <class, class>
  friend class Ptr;

  explicit Barrier(detail::Record& record) noexcept : LiveBarrier(record), record_(record) {
    detail::domain().enter(record);
  }

  template <class Function>
  static void run_piece(void* p) {
    std::unique_ptr<Function> function(static_cast<Function*>(p));
    if ((*function)()) return;
    detail::retire({function.release(), &run_piece<Function>}, sizeof(Function));
  }

  detail::Record& record_;
};

// Offers everything that the calling thread retired to whichever thread collects next, and gives back the memory that
// it keeps for nodes and entries: for a thread that will lie dormant. Without it the same happens some time later. Of
// no use inside a barrier, for the end of which all of it waits.
inline void suspend() noexcept {
  if (detail::Record* record = detail::this_record()) detail::domain().offer(*record);
}

// Frees a bounded part of what the calling thread retired and what idle threads left, as far as no barrier holds it
// back. True if anything, of any thread, still waits; if not, the memory that the calling thread keeps for nodes and
// entries is given back. Outside barriers, repeated, it frees all that no other thread's barrier holds back.
inline bool collect() { return detail::domain().collect(detail::current_record()); }

// O(threads).
inline Stats stats() noexcept { return detail::domain().stats(); }

// Calls `listener(stats)` when `objects` or `bytes` or more wait, once each time that the backlog grows beyond: it is
// armed again when less than half of that waits. It runs on the thread that noticed, inside whatever call retired
// something; it must not throw or block, and may use everything here. An empty one removes it. The backlog is looked at
// at each advance (docs/protocols/epoch.md): where one thread retires, once for about 1600 retirements or 512 KiB.
// Throws std::bad_alloc.
inline void on_backlog(std::uint64_t objects, std::uint64_t bytes, std::function<void(const Stats&)> listener) {
  using Function = std::function<void(const Stats&)>;
  const Barrier barrier;
  std::unique_ptr<detail::BacklogListener> fresh;
  if (listener) {
    auto function = std::make_unique<Function>(std::move(listener));
    fresh.reset(new detail::BacklogListener{objects, bytes, function.get(),
                                            [](void* f, const Stats& stats) { (*static_cast<Function*>(f))(stats); },
                                            [](void* f) { delete static_cast<Function*>(f); }});
    function.release();
  }
  if (auto* before = detail::domain().exchange_listener(fresh.release())) {
    barrier.retire(
        before,
        [](void* p) {
          std::unique_ptr<detail::BacklogListener> unused(static_cast<detail::BacklogListener*>(p));
          unused->destroy(unused->context);
        },
        sizeof(*before));
  }
}

// In checked builds, ends the program with a message if the calling thread holds a barrier: a coroutine that is
// suspended now would take it along. For await_suspend, or a promise's await_transform.
inline void check_suspension() noexcept {
#if SCREE_CHECKED
  if (const detail::Record* record = detail::this_record(); record != nullptr && record->depth != 0) {
    scree::detail::misused("a coroutine is suspended while its thread holds a Barrier");
  }
#endif
}

}  // namespace scree::ebr
