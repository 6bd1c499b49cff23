// SPDX-License-Identifier: Apache-2.0
#include "arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace scree::model {
namespace {

constexpr std::size_t kArenaBytes = 256u << 20;
constexpr std::size_t kGap = 16;  // between blocks, so that one past the end of one is not in the next
constexpr int kFresh = 0xCB;
// A wish: with the same addresses in each process, a schedule replays also where code depends on them.
constexpr std::uintptr_t kWishedAddress = 0x5c4e'0000'0000;

}  // namespace

Arena::Arena() {
  void* memory = ::mmap(reinterpret_cast<void*>(kWishedAddress), kArenaBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("no memory for the explorer's heap");
    std::abort();
  }
  memory_ = static_cast<std::byte*>(memory);
}

void Arena::reset() {
  used_ = 0;
  blocks_.clear();
}

void* Arena::allocate(std::size_t size, std::size_t alignment) {
  const std::size_t begin = (used_ + kGap + alignment - 1) / alignment * alignment;
  if (size > kArenaBytes || begin + size > kArenaBytes) return nullptr;
  used_ = begin + size;
  std::byte* const memory = memory_ + begin;
  std::memset(memory, kFresh, size);
  blocks_.push_back({reinterpret_cast<std::uintptr_t>(memory), size, -1, nullptr, 0, 0, false});
  return memory;
}

bool Arena::contains(const void* address) const {
  const auto* byte = static_cast<const std::byte*>(address);
  return byte >= memory_ && byte < memory_ + kArenaBytes;
}

Block* Arena::find(const void* address) {
  if (!contains(address)) return nullptr;
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), at,
                                      [](std::uintptr_t a, const Block& b) { return a < b.begin; });
  if (after == blocks_.begin()) return nullptr;
  Block& block = *(after - 1);
  return at < block.begin + std::max<std::size_t>(block.size, 1) ? &block : nullptr;
}

}  // namespace scree::model
