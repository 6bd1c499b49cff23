// SPDX-License-Identifier: Apache-2.0
//
// Who resumes coroutines that waited for a Lock.
//
// The thread that lets a coroutine go on resumes it, once, when it is outside: before the call that released something
// returns, or at the end of its outermost ebr::Barrier; never from within another resumption, nor within reclamation. A
// thread that releases one lock while it holds another keeps a barrier around both, then.
//
// A coroutine that belongs to an executor goes there instead: the executor's threads keep a ResumeScope while they run
// coroutines.

#pragma once

#include <coroutine>
#include <utility>

#if SCREE_MODEL
#include <scree_model/platform.h>
#endif

namespace scree {

// Brings coroutines back to where they belong.
class ResumeHook {
 public:
  // `coroutine` is to be resumed once, wherever and whenever that suits; or to be destroyed, and then it lets go of
  // what it waited for. Called outside, on any thread, by one that released something; the hook outlives the call, and
  // where somebody may destroy the coroutine meanwhile, finds out first.
  virtual void resume(std::coroutine_handle<> coroutine) noexcept = 0;

 protected:
  ~ResumeHook() = default;
};

namespace detail {

#if SCREE_MODEL
inline ResumeHook*& resume_hook() noexcept { return scree::model::per_thread<ResumeHook*>(); }
#else
// Visible and initial-exec as ebr's thread_record.
[[gnu::visibility("default"),
  gnu::tls_model("initial-exec")]] inline constinit thread_local ResumeHook* thread_resume_hook = nullptr;
inline ResumeHook*& resume_hook() noexcept { return thread_resume_hook; }
#endif

}  // namespace detail

// While it lives, coroutines that begin to wait on this thread will be resumed through `hook`, which outlives their
// waits. Nests.
class ResumeScope {
 public:
  explicit ResumeScope(ResumeHook& hook) noexcept : before_(std::exchange(detail::resume_hook(), &hook)) {}
  ~ResumeScope() { detail::resume_hook() = before_; }
  ResumeScope(const ResumeScope&) = delete;
  ResumeScope& operator=(const ResumeScope&) = delete;

 private:
  ResumeHook* const before_;
};

}  // namespace scree
