// SPDX-License-Identifier: Apache-2.0
//
// A shared object that uses locks and hides all its symbols but these. lock_shared_object_test opens two of it.

#include <scree/ebr.h>
#include <scree/lock.h>

#include "lock_shared_object.h"
#include "support/coroutine.h"

namespace {

scree::test::Coroutine coroutine;

scree::test::Coroutine count_when_held(scree::Lock* lock, int* count) {
  const bool held = co_await lock->lock_async();
  if (!held) co_return;
  ++*count;
  lock->unlock();
}

}  // namespace

extern "C" {
bool acquire(scree::Lock* lock) { return lock->lock(); }
void release(scree::Lock* lock) { lock->unlock(); }
bool acquire_shared(scree::Lock* lock) { return lock->lock_shared(); }
void release_shared(scree::Lock* lock) { lock->unlock_shared(); }
bool release_inside_a_barrier(scree::Lock* lock, const int* count) {
  const scree::ebr::Barrier barrier;
  const int before = *count;
  lock->unlock();
  return *count == before;
}
void begin_to_wait(scree::Lock* lock, int* count) { coroutine = count_when_held(lock, count); }
void stop_waiting() { coroutine.destroy(); }
}
