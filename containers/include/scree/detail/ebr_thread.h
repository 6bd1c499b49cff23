// SPDX-License-Identifier: Apache-2.0
//
// Threads of the reclamation domain: each has a record from its first use of the domain until it ends, and the only
// thread of a forked child keeps its own. There is one domain per process, also across shared objects
// (docs/protocols/epoch.md).

#pragma once

#include <new>
#include <type_traits>

#include <scree/detail/ebr_domain.h>

#if !SCREE_MODEL
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#endif

namespace scree::ebr::detail {

#if SCREE_MODEL

inline Domain& domain() noexcept { return scree::model::per_execution<Domain>(); }
inline Record*& this_record() noexcept { return scree::model::per_thread<Record*>(); }

inline bool light_fence_is_fenced() {
  static_cast<void>(domain());
  return !scree::detail::membarrier_register();
}
inline void at_thread_exit(Record& record) {
  scree::model::at_thread_exit(
      [](void* leaving) {
        this_record() = nullptr;
        domain().release_record(*static_cast<Record*>(leaving));
      },
      &record);
}

#else

// Visible, so that shared objects that hide their symbols use the same ones. Constant-initialised and without
// destructors: usable before main and after it, and without a guard on the way in.
[[gnu::visibility("default")]] inline constinit Domain process_domain;
// Initial-exec: one load also in a shared object.
[[gnu::visibility("default"), gnu::tls_model("initial-exec")]] inline constinit thread_local Record* thread_record =
    nullptr;

static_assert(std::is_trivially_destructible_v<Domain>);

inline Domain& domain() noexcept { return process_domain; }
inline Record*& this_record() noexcept { return thread_record; }

// Called at a thread's exit. By a pthread key rather than a thread_local object: its destructor runs after those of all
// thread_local objects, which may still use barriers.
inline void leave(void* record) {
  this_record() = nullptr;
  domain().release_record(*static_cast<Record*>(record));
}

// What the process needs once, before its first barrier.
struct ProcessSetup {
  ProcessSetup() : fenced(!scree::detail::membarrier_register()) {
    const int no_key = ::pthread_key_create(&exit_key, &leave);
    const int no_handler =
        ::pthread_atfork([] { scree::detail::block_arena.lock(); }, [] { scree::detail::block_arena.unlock(); },
                         [] {
                           scree::detail::block_arena.unlock();
                           domain().keep_only(this_record());
                         });
    if (no_key != 0 || no_handler != 0) throw std::bad_alloc();
  }

  const bool fenced;  // the kernel refuses membarrier
  pthread_key_t exit_key{};
};

// Not inlined, so that all shared objects call the same one.
[[gnu::visibility("default"), gnu::noinline]] inline const ProcessSetup& process_setup() {
  static const ProcessSetup setup;
  // The shared object that this code lies in, if it does, must stay: threads exit and fork through it. Not in the
  // constructor: the loader may hold its lock for a static constructor that waits for this one.
  static constinit std::atomic<bool> pinned{false};
  if (!pinned.load(memory_order_relaxed) && !pinned.exchange(true, memory_order_relaxed)) {
    Dl_info here{};
    if (::dladdr(reinterpret_cast<void*>(&leave), &here) != 0) {
      ::dlopen(here.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
    }
  }
  return setup;
}

inline bool light_fence_is_fenced() { return process_setup().fenced; }

inline void at_thread_exit(Record& record) {
  if (::pthread_setspecific(process_setup().exit_key, &record) != 0) throw std::bad_alloc();
}

#endif

// May throw std::bad_alloc.
[[gnu::noinline]] inline Record& register_thread() {
  Record& record = domain().acquire_record(light_fence_is_fenced());
  try {
    at_thread_exit(record);
  } catch (...) {
    domain().release_record(record);
    throw;
  }
  this_record() = &record;
  return record;
}

inline Record& current_record() {
  Record* const record = this_record();
  return record != nullptr ? *record : register_thread();
}

// Retires on behalf of the calling thread, inside a barrier of its or not.
inline void retire(Retired item, std::size_t bytes) {
  Record& record = current_record();
  const Domain::Busy here(record);
  domain().retire(record, item, bytes);
}

}  // namespace scree::ebr::detail
