// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include <scree/detail/node_arena.h>

namespace scree::detail {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLargestLines = NodeArena::kLargest / NodeArena::kLine;
// So many of the largest blocks lie in one chunk; its first span has room for fewer, as the chunk itself lies there.
constexpr std::size_t kChunk = 2u << 20;
constexpr std::size_t kMostInChunk = kChunk / NodeArena::kLargest;

// Whether the page on which `address` lies takes memory; false, too, if there is none.
bool is_resident(const void* address) {
  const auto page = reinterpret_cast<std::uintptr_t>(address) / kPage * kPage;
  unsigned char resident = 0;
  if (::mincore(reinterpret_cast<void*>(page), kPage, &resident) != 0) {  // NOLINT(performance-no-int-to-ptr)
    EXPECT_EQ(errno, ENOMEM);
    return false;
  }
  return (resident & 1) != 0;
}

std::uintptr_t chunk_of(const void* block) { return reinterpret_cast<std::uintptr_t>(block) / kChunk; }

// Blocks of the largest size, written to, that fill the first chunk and begin another.
std::vector<void*> fill_a_chunk(NodeArena& arena) {
  std::vector<void*> blocks;
  do {
    blocks.push_back(arena.allocate(kLargestLines));
    std::memset(blocks.back(), 1, NodeArena::kLargest);
  } while (chunk_of(blocks.back()) == chunk_of(blocks.front()));
  return blocks;
}

struct TwoChunks {
  std::vector<void*> first, second;
};
// The first chunk, full, which is never huge, and a block of the second.
TwoChunks begin_a_huge_chunk(NodeArena& arena) {
  TwoChunks blocks{.first = fill_a_chunk(arena), .second = {}};
  blocks.second.push_back(blocks.first.back());
  blocks.first.pop_back();
  return blocks;
}

TEST(NodeArena, blocks_keep_what_is_written_to_them) {
  struct Block {
    unsigned char* begin;
    std::size_t bytes;
    unsigned char pattern;
  };
  static NodeArena arena;
  std::mt19937 random(5);
  std::vector<Block> blocks;
  const auto free_one = [&] {
    const std::size_t n = random() % blocks.size();
    const Block block = blocks[n];
    for (std::size_t i = 0; i < block.bytes; ++i) ASSERT_EQ(block.begin[i], block.pattern);
    arena.free(block.begin);
    blocks[n] = blocks.back();
    blocks.pop_back();
  };
  for (int round = 0; round < 20'000; ++round) {
    // It grows and shrinks in turn, so that spans become free and serve other sizes.
    if (random() % 8 < (round / 2'000 % 2 == 0 ? 6u : 2u)) {
      const std::size_t lines = 1 + random() % kLargestLines;
      auto* const begin = static_cast<unsigned char*>(arena.allocate(lines));
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(begin) % NodeArena::kLine, 0u);
      blocks.push_back({begin, lines * NodeArena::kLine, static_cast<unsigned char>(random())});
      std::memset(begin, blocks.back().pattern, blocks.back().bytes);
    } else if (!blocks.empty()) {
      free_one();
    }
    if (round % 1'000 == 0) arena.trim();
  }
  while (!blocks.empty()) free_one();
  arena.trim();
}

TEST(NodeArena, trim_gives_back_what_is_free_of_chunks_that_are_hardly_used) {
  static NodeArena arena;
  std::vector<void*> blocks = fill_a_chunk(arena);
  ASSERT_LE(blocks.size(), kMostInChunk);
  // The blocks of the last quarter stay.
  const std::size_t freed = blocks.size() * 3 / 4;
  for (std::size_t i = 0; i < freed; ++i) arena.free(blocks[i]);
  arena.trim();
  std::size_t resident = 0;
  for (std::size_t i = 0; i < freed; ++i) resident += is_resident(blocks[i]) ? 1 : 0;
  EXPECT_LE(resident, 2 * (32u << 10) / NodeArena::kLargest);  // the chunk's own page, and a span that is used in part
  for (std::size_t i = freed; i < blocks.size(); ++i) {
    EXPECT_EQ(static_cast<unsigned char*>(blocks[i])[NodeArena::kLargest - 1], 1);
    arena.free(blocks[i]);
  }
  arena.trim();
}

TEST(NodeArena, a_chunk_that_was_broken_up_serves_nothing_more_and_goes_in_the_end) {
  static NodeArena arena;
  auto [first, second] = begin_a_huge_chunk(arena);
  while (second.size() < kMostInChunk / 2) second.push_back(arena.allocate(kLargestLines));
  for (void* block : second) std::memset(block, 1, NodeArena::kLargest);
  void* const last = second.back();
  second.pop_back();
  for (void* block : second) arena.free(block);
  arena.trim();
  EXPECT_FALSE(is_resident(second[kMostInChunk / 4]));
  // Of another size, so that the span of the block that is left does not serve.
  for (int i = 0; i < 100; ++i) {
    void* const block = arena.allocate(kLargestLines / 2);
    EXPECT_NE(chunk_of(block), chunk_of(last));
    first.push_back(block);
  }
  EXPECT_TRUE(is_resident(last));
  arena.free(last);
  EXPECT_FALSE(is_resident(last));
  for (void* block : first) arena.free(block);
  arena.trim();
}

TEST(NodeArena, trim_leaves_huge_chunks_whole_that_are_mostly_used_or_grow) {
  static NodeArena arena;
  auto [first, second] = begin_a_huge_chunk(arena);
  std::vector<void*> freed;
  for (std::size_t most = 32; most <= kMostInChunk - 32; most *= 4) {
    while (second.size() + freed.size() < most) {
      second.push_back(arena.allocate(kLargestLines));
      std::memset(second.back(), 1, NodeArena::kLargest);
      ASSERT_EQ(chunk_of(second.back()), chunk_of(second.front()));
    }
    arena.trim();
    for (void* block : freed) EXPECT_TRUE(is_resident(block));
    for (std::size_t n = most / 4; n != 0; --n) {
      freed.push_back(second.back());
      second.pop_back();
    }
    for (auto block = freed.end() - static_cast<std::ptrdiff_t>(most / 4); block != freed.end(); ++block) {
      arena.free(*block);
    }
    arena.trim();
    for (void* block : freed) EXPECT_TRUE(is_resident(block));
    freed.clear();
  }
  for (void* block : first) arena.free(block);
  for (void* block : second) arena.free(block);
  arena.trim();
}

TEST(NodeArena, nothing_is_left_when_all_is_free_and_trimmed) {
  static NodeArena arena;
  std::vector<void*> blocks = fill_a_chunk(arena);
  for (void* block : blocks) arena.free(block);
  EXPECT_TRUE(is_resident(blocks[0]) || is_resident(blocks.back()));  // one is kept
  arena.trim();
  for (void* block : blocks) EXPECT_FALSE(is_resident(block));
}

}  // namespace
}  // namespace scree::detail
