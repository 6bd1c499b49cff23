// SPDX-License-Identifier: Apache-2.0
//
// What memory costs without reclamation: a block is allocated, written and freed at once.

#include <gnu/libc-version.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "garbage.h"
#include "keep.h"
#include "registry.h"
#include "timed_threads.h"

namespace scree::bench {
namespace {

[[gnu::noinline]] void malloc_free_loop(std::uint64_t operations) {
  for (std::uint64_t i = 0; i < operations; ++i) {
    void* const block = std::malloc(kGarbageBlockBytes);
    if (block == nullptr) std::abort();
    *static_cast<std::uint64_t*>(block) = i;
    keep(block);
    std::free(block);
  }
}

struct NothingPerThread {};

}  // namespace

void add_malloc_free(Registry* registry) {
  registry->add_peer("malloc_free", std::string("glibc ") + gnu_get_libc_version());
  registry->add_side("ebr", "allocate_publish_retire",
                     {.name = "malloc_free", .run = loop_on_threads<NothingPerThread>(malloc_free_loop)});
}

}  // namespace scree::bench
