// SPDX-License-Identifier: Apache-2.0
//
// What a scree::Lock costs.

#include <cstdlib>

#include <scree/lock.h>

#include "lock_section.h"
#include "registry.h"

namespace scree::bench {
namespace {

// With the standard names. Nobody kills it.
class Mutex {
 public:
  void lock() {
    if (!lock_.lock()) std::abort();
  }
  void lock_shared() {
    if (!lock_.lock_shared()) std::abort();
  }
  void unlock() { lock_.unlock(); }
  void unlock_shared() { lock_.unlock_shared(); }

 private:
  Lock lock_;
};

}  // namespace

void add_lock(Registry* registry) {
  registry->add({.name = "lock_unlock", .container = {.name = "lock", .run = lock_unlock<Mutex>()}});
  registry->add({.name = "lock_unlock_shared", .container = {.name = "lock", .run = lock_unlock_shared<Mutex>()}});
}

}  // namespace scree::bench
