// SPDX-License-Identifier: Apache-2.0
//
// Coroutines that may go on and that this thread is to resume, once it is outside barriers and other resumptions.

#pragma once

#include <coroutine>
#include <cstdint>
#include <new>

#include <scree/detail/ebr_thread.h>
#include <scree/detail/lock_core.h>
#include <scree/resume_hook.h>

namespace scree::detail {

class ReadyList {
 public:
  constexpr ReadyList() noexcept = default;

  // `waiter` is kChosen. Owner only.
  void push(Waiter& waiter) noexcept {
    const Held held(this);
    waiter.ready.store(this, memory_order_relaxed);
    waiter.older = newest_;
    waiter.newer = nullptr;
    (newest_ != nullptr ? newest_->newer : oldest_) = &waiter;
    newest_ = &waiter;
    waiter.change(Waiter::kChosen, Waiter::kReady);
  }

  // By who destroys the coroutine. False if it is being resumed.
  static bool take_back(Waiter& waiter) noexcept {
    ReadyList* const list = waiter.ready.load(memory_order_relaxed);
    const Held held(list);  // by its address: its thread, and it, are there only if `waiter` is still on it
    const std::uint32_t state = waiter.state.load(memory_order_acquire) & ~Waiter::kWantsToLeave;  // [C3]
    if (state != Waiter::kReady || waiter.ready.load(memory_order_relaxed) != list) return false;
    list->unlink(waiter);
    return true;
  }

  // Returns when nobody is about to push `waiter` again who began before.
  static void await_push(Waiter& waiter) noexcept {
    if (const ReadyList* const list = waiter.ready.load(memory_order_relaxed)) const Held held(list);
  }

  // Whether a coroutine that is pushed now is resumed now, or after the one that is being resumed.
  static bool is_free_to_resume() noexcept {
    const ebr::detail::Record* const record = ebr::detail::this_record();
    return record == nullptr || record->is_outside();
  }

  // Resumes all, also those that are added meanwhile. Owner only. While the thread holds a barrier they wait for its
  // end, and within a resumption for the end of that.
  void resume_all() noexcept {
    if (is_resuming_) return;
    if (!is_free_to_resume()) {
      ebr::detail::this_record()->after_barriers = &resume_here;
      return;
    }
    is_resuming_ = true;
    for (Next next = pop(); next.coroutine; next = pop()) {
      if (next.hook != nullptr) {
        next.hook->resume(next.coroutine);
      } else {
        next.coroutine.resume();
      }
    }
    is_resuming_ = false;
  }

  static ReadyList& current() noexcept;

 private:
  // Visible, so that one that stays is called: the shared object that unlocked may have been closed by then.
  [[gnu::visibility("default"), gnu::noinline]] static void resume_here() { current().resume_all(); }

  struct Next {
    std::coroutine_handle<> coroutine;
    ResumeHook* hook = nullptr;
  };

  // Others come only to take back. They may come when the list has gone with its thread: its lock stays.
  class Held {
   public:
    explicit Held(const ReadyList* list) noexcept : lock_(lock_of(list)) { lock_.acquire(LockMode::kExclusive); }
    ~Held() { lock_.release_exclusive(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    LockCore& lock_;
  };

  Next pop() noexcept {
    const Held held(this);
    Waiter* waiter = nullptr;
    do {
      waiter = oldest_;
      if (waiter == nullptr) return {};
      unlink(*waiter);
    } while (waiter->outcome == Waiter::Outcome::kTryAgain && !LockCore::try_again(*waiter));
    const Next next{waiter->handle, waiter->hook};
    waiter->change(Waiter::kReady, next.hook != nullptr ? Waiter::kHandedOver : Waiter::kResuming);
    return next;
  }

  void unlink(Waiter& waiter) noexcept {
    Waiter* const older = waiter.older;
    Waiter* const newer = waiter.newer;
    (older != nullptr ? older->newer : oldest_) = newer;
    (newer != nullptr ? newer->older : newest_) = older;
  }

  static LockCore& lock_of(const ReadyList* list) noexcept;

  Plain<Waiter*> oldest_ = nullptr;
  Plain<Waiter*> newest_ = nullptr;
  Plain<bool> is_resuming_ = false;  // owner only
};

#if SCREE_MODEL

// Addresses are not the same in each execution: a list lies in an array that begins at a multiple of its size, at its
// thread's number, by which its lock is chosen.
struct alignas(8 * 64) ReadyListOfThread {
  struct alignas(64) Place {
    ReadyList list;
  };
  static_assert(scree::model::detail::kThreadNumbers <= 8);

  ReadyList& of_this_thread() noexcept { return places[scree::model::detail::thread_number()].list; }

  Place places[8];
};

inline LockCore& ReadyList::lock_of(const ReadyList* list) noexcept {
  return ebr::detail::domain().ready_lock(reinterpret_cast<std::uintptr_t>(list) / 64 % 8);
}

// Gone with its thread, as a thread_local is. The program's own part (thread 0) has no end.
inline ReadyList& ReadyList::current() noexcept {
  ReadyListOfThread*& lists = scree::model::per_thread<ReadyListOfThread*>();
  if (lists == nullptr) {
    if (scree::model::detail::thread_number() == 0) {
      return scree::model::per_execution<ReadyListOfThread>().of_this_thread();
    }
    do {
      lists = new (std::nothrow) ReadyListOfThread;  // as it stands for a thread_local, it does not fail
    } while (lists == nullptr);
    scree::model::at_thread_exit([](void* leaving) { delete static_cast<ReadyListOfThread*>(leaving); }, lists);
  }
  return lists->of_this_thread();
}

#else

inline LockCore& ReadyList::lock_of(const ReadyList* list) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(list);
  return ebr::detail::domain().ready_lock(address >> 6 ^ address >> 12 ^ address >> 20);
}

// Visible and initial-exec as ebr's thread_record, and without a destructor: usable to the thread's very end.
[[gnu::visibility("default"),
  gnu::tls_model("initial-exec")]] inline constinit thread_local ReadyList thread_ready_list;
inline ReadyList& ReadyList::current() noexcept { return thread_ready_list; }

#endif

}  // namespace scree::detail
