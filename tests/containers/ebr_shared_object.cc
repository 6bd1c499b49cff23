// SPDX-License-Identifier: Apache-2.0
//
// A shared object that uses reclamation and hides all its symbols but these. ebr_shared_object_test opens two of it.

#include <memory>

#include <scree/detail/block_arena.h>
#include <scree/ebr.h>

#include "ebr_shared_object.h"

namespace {

thread_local std::unique_ptr<scree::ebr::Barrier> held;

class Counted {
 public:
  explicit Counted(int* alive) : alive_(alive) { ++*alive_; }
  ~Counted() { --*alive_; }

 private:
  int* alive_;
};

}  // namespace

extern "C" {
void enter_barrier() { held = std::make_unique<scree::ebr::Barrier>(); }
void exit_barrier() { held.reset(); }
void retire_counted(int* alive) { scree::ebr::Barrier().retire(new Counted(alive)); }
bool collect_garbage() { return scree::ebr::collect(); }
std::uint64_t pending_objects() { return scree::ebr::stats().pending_objects; }
const void* arena() { return &scree::detail::block_arena; }
}
