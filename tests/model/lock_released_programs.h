// SPDX-License-Identifier: Apache-2.0
//
// Programs for the explorer in which coroutines wait until a Lock has been released, and hold nothing then.

#pragma once

#include <coroutine>

#include <scree/lock.h>

#include "lock_leaving_programs.h"
#include "lock_programs.h"
#include "model/explorer.h"

namespace scree::model {

inline Coroutine await_release(Guarded& guarded, Plain<int>& ended) {
  const bool is_alive = co_await guarded.lock.until_released_async();
  check(is_alive, "the lock is not killed");
  ended += 1;
}
struct AwaitsRelease : Claimed {
  Plain<int> ended = 0;
};

// It sees what the holder did.
inline void release_beside_one_who_awaits_it(Program& p) {
  auto& all = p.make<AwaitsRelease>();
  check(all.lock.try_lock(), "nobody holds it yet");
  p.thread([&all] {
    all.value += 1;
    all.lock.unlock();
  });
  p.thread([&all] {
    all.coroutines[0] = [](AwaitsRelease& of) -> Coroutine {
      const bool is_alive = co_await of.lock.until_released_async();
      check(is_alive && of.value == 1, "what was done before the release is seen");
      of.ended += 1;
    }(all);
  });
  p.at_end([&all] { check(all.ended == 1, "it goes on once"); });
  expect_value(p, all, 1);
}
// It goes on, whatever threads do before it and behind it in the queue.
inline void writers_beside_one_who_awaits_a_release(Program& p) {
  auto& all = p.make<AwaitsRelease>();
  p.thread([&all] { increment(all); });
  p.thread([&all] { all.coroutines[0] = await_release(all, all.ended); });
  p.thread([&all] { increment(all); });
  p.at_end([&all] { check(all.ended == 1, "it goes on once"); });
  expect_value(p, all, 2);
}
// Nor does it keep back those behind it, when nobody comes to resume it.
inline void nobody_waits_for_one_who_awaits_a_release(Program& p) {
  struct All final : AwaitsRelease, ResumeHook {
    void resume(std::coroutine_handle<> coroutine) noexcept override { given = coroutine; }
    Plain<std::coroutine_handle<>> given = nullptr;
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock(), "nobody holds it yet");
  {
    const ResumeScope scope(all);
    all.coroutines[0] = await_release(all, all.ended);
  }
  all.coroutines[1] = increment_async(all);
  p.thread([&all] { all.lock.unlock(); });
  p.thread([&all] { increment(all); });
  p.at_end([&all] {
    const std::coroutine_handle<> given = all.given;
    check(given && all.ended == 0, "it was given to its hook");
    given.resume();
    check(all.ended == 1, "it goes on");
  });
  expect_value(p, all, 2);
}
inline void readers_beside_one_who_awaits_a_release(Program& p) {
  auto& all = p.make<AwaitsRelease>();
  check(all.lock.try_lock_shared(), "nobody holds it yet");
  p.thread([&all] { all.lock.unlock_shared(); });
  p.thread([&all] { all.coroutines[0] = await_release(all, all.ended); });
  p.thread([&all] { read(all); });
  p.at_end([&all] { check(all.ended == 1, "it goes on once"); });
  expect_value(p, all, 0);
}
inline void release_within_a_barrier_beside_two_who_await_it(Program& p) {
  auto& all = p.make<AwaitsRelease>();
  check(all.lock.try_lock(), "nobody holds it yet");
  for (int n = 0; n < 2; ++n) all.coroutines[n] = await_release(all, all.ended);
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.lock.unlock();
    check(all.lock.lock(), "nobody waits for what it will resume");
    check(all.ended == 0, "they go on outside barriers");
    all.lock.unlock();
  });
  p.thread([&all] { increment(all); });
  p.at_end([&all] { check(all.ended == 2, "both go on once"); });
  expect_value(p, all, 1);
}
inline void kill_beside_one_who_awaits_a_release(Program& p) {
  auto& all = p.make<AwaitsRelease>();
  check(all.lock.try_lock(), "nobody holds it yet");
  p.thread([&all] {
    all.value += 1;
    all.lock.kill();
  });
  p.thread([&all] {
    all.coroutines[0] = [](AwaitsRelease& of) -> Coroutine {
      const bool is_alive = co_await of.lock.until_released_async();
      check(!is_alive && of.value == 1, "it is told, and sees what was done before");
      of.ended += 1;
    }(all);
  });
  p.at_end([&all] { check(all.ended == 1, "it goes on once"); });
}
inline void destroy_one_who_awaits_a_release(Program& p) {
  auto& all = p.make<AwaitsRelease>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin([&all](Guarded&) { return await_release(all, all.ended); });
  p.thread([&all] { all.lock.unlock(); });
  p.thread([&all] { all.destroy(); });
  p.thread([&all] { increment(all); });
  expect_value(p, all, 1);
}

}  // namespace scree::model
