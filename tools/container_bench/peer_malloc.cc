// SPDX-License-Identifier: Apache-2.0
//
// What memory costs without reclamation: a block is allocated, written and freed at once; or kept, as a stalled reader
// has it kept.

#include <gnu/libc-version.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

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

[[gnu::noinline]] void malloc_keep_loop(std::uint64_t operations, std::vector<void*>* kept) {
  for (std::uint64_t i = 0; i < operations; ++i) {
    auto* const block = static_cast<std::uint64_t*>(std::malloc(kGarbageBlockBytes));
    if (block == nullptr) std::abort();
    for (std::size_t word = 0; word < kGarbageBlockBytes / sizeof(*block); ++word) block[word] = i;
    (*kept)[i] = block;
  }
}

Status malloc_keep(const RunRequest& request, double* nanoseconds) {
  *nanoseconds = run_on_threads(request.threads, [&](Lap& lap) {
    std::vector<void*> kept(request.operations_per_thread());
    lap.start();
    malloc_keep_loop(kept.size(), &kept);
    lap.stop();
    for (void* block : kept) std::free(block);
  });
  return Status::ok();
}

}  // namespace

void add_malloc_free(Registry* registry) {
  registry->add_peer("malloc_free", std::string("glibc ") + gnu_get_libc_version());
  for (const char* benchmark : {"allocate_publish_retire", "allocate_swap_drop"}) {
    registry->add_side("ebr", benchmark,
                       {.name = "malloc_free", .run = loop_on_threads<NothingPerThread>(malloc_free_loop)});
  }
  registry->add_peer("malloc_keep", std::string("glibc ") + gnu_get_libc_version());
  registry->add_side("ebr", "stalled_reader", {.name = "malloc_keep", .run = malloc_keep});
}

}  // namespace scree::bench
