// SPDX-License-Identifier: Apache-2.0

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <set>
#include <thread>
#include <type_traits>
#include <vector>

#include <scree/atomic.h>
#include <scree/detail/block_arena.h>
#include <scree/detail/block_cache.h>

namespace scree::detail {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLargest = BlockSize::kLargest;
// So many of the largest blocks lie in one chunk; its first span has room for fewer, as the chunk itself lies there.
constexpr std::size_t kChunk = 2u << 20;
constexpr std::size_t kMostInChunk = kChunk / kLargest;

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

void* allocate(BlockArena& arena, std::size_t size) { return arena.allocate(size, 1); }
void free(BlockArena& arena, void* block) { arena.free(::new (block) FreeBlock{nullptr}); }

std::uintptr_t chunk_of(const void* block) { return reinterpret_cast<std::uintptr_t>(block) / kChunk; }

// Blocks of the largest size, written to, that fill the first chunk and begin another.
std::vector<void*> fill_a_chunk(BlockArena& arena) {
  std::vector<void*> blocks;
  do {
    blocks.push_back(allocate(arena, kLargest));
    std::memset(blocks.back(), 1, kLargest);
  } while (chunk_of(blocks.back()) == chunk_of(blocks.front()));
  return blocks;
}

struct TwoChunks {
  std::vector<void*> first, second;
};
// The first chunk, full, which is never huge, and a block of the second.
TwoChunks begin_a_huge_chunk(BlockArena& arena) {
  TwoChunks blocks{.first = fill_a_chunk(arena), .second = {}};
  blocks.second.push_back(blocks.first.back());
  blocks.first.pop_back();
  return blocks;
}

TEST(BlockSize, holds_what_is_asked_for_and_wastes_little) {
  std::size_t before = 0;
  for (std::size_t bytes = 1; bytes <= kLargest; ++bytes) {
    const std::size_t size = BlockSize::of(bytes);
    EXPECT_GE(size, bytes);
    EXPECT_LT(size - bytes, std::max<std::size_t>(8, bytes / 8));
    EXPECT_GE(size, before);
    EXPECT_EQ(BlockSize::of(size), size);
    EXPECT_EQ(BlockSize::size_of(BlockSize::number_of(size)), size);
    EXPECT_LT(BlockSize::number_of(size), BlockSize::kSizes);
    before = size;
  }
  EXPECT_EQ(BlockSize::number_of(BlockSize::of(1)), 0u);
  EXPECT_EQ(BlockSize::number_of(kLargest), BlockSize::kSizes - 1);
}

TEST(BlockArena, blocks_keep_what_is_written_to_them) {
  struct Block {
    unsigned char* begin;
    std::size_t bytes;
    unsigned char pattern;
  };
  static BlockArena arena;
  std::mt19937 random(5);
  std::vector<Block> blocks;
  // Some at a time, of whatever sizes.
  const auto free_some = [&] {
    FreeBlock* list = nullptr;
    for (std::size_t some = 1 + random() % 8; some != 0 && !blocks.empty(); --some) {
      const std::size_t n = random() % blocks.size();
      const Block block = blocks[n];
      for (std::size_t i = 0; i < block.bytes; ++i) ASSERT_EQ(block.begin[i], block.pattern);
      list = ::new (block.begin) FreeBlock{list};
      blocks[n] = blocks.back();
      blocks.pop_back();
    }
    arena.free(list);
  };
  for (int round = 0; round < 20'000; ++round) {
    // It grows and shrinks in turn, so that spans become free and serve other sizes.
    if (random() % 8 < (round / 2'000 % 2 == 0 ? 6u : 2u)) {
      const std::size_t size = BlockSize::size_of(random() % BlockSize::kSizes);
      const std::size_t most = 1 + random() % 8;
      std::size_t got = 0;
      for (FreeBlock* block = arena.allocate(size, most); block != nullptr; ++got) {
        auto* const begin = reinterpret_cast<unsigned char*>(block);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(begin) % std::min(size & -size, BlockArena::kLine), 0u);
        block = block->next;
        blocks.push_back({begin, size, static_cast<unsigned char>(random())});
        std::memset(begin, blocks.back().pattern, size);
      }
      ASSERT_GE(got, 1u);
      ASSERT_LE(got, most);
    } else {
      free_some();
    }
    if (round % 1'000 == 0) arena.trim();
  }
  while (!blocks.empty()) free_some();
  arena.trim();
}

// Blocks go from thread to thread, and are freed by another than they were allocated by, while others trim.
TEST(BlockArena, serves_many_threads_at_once) {
  struct Letter {
    FreeBlock block;
    std::size_t size;
    unsigned char pattern;
  };
  constexpr std::size_t kThreads = 4, kBoxes = 64;
  static BlockArena arena;
  static std::array<Atomic<Letter*>, kBoxes> boxes;
  // Behind the letter's head it has its pattern everywhere.
  const auto free_letter = [](Letter* letter) {
    const auto* const bytes = reinterpret_cast<const unsigned char*>(letter);
    for (std::size_t i = sizeof(Letter); i < letter->size; ++i) ASSERT_EQ(bytes[i], letter->pattern);
    free(arena, letter);
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int round = 0; round < 5'000; ++round) {
        const std::size_t size = BlockSize::of(sizeof(Letter) + random() % (kLargest - sizeof(Letter)));
        for (FreeBlock* block = arena.allocate(size, 1 + random() % 4); block != nullptr;) {
          FreeBlock* const next = block->next;
          const auto pattern = static_cast<unsigned char>(random());
          std::memset(static_cast<void*>(block), pattern, size);
          auto* const letter = ::new (block) Letter{{nullptr}, size, pattern};
          if (Letter* const before = boxes[random() % kBoxes].exchange(letter, memory_order_acq_rel)) {
            free_letter(before);
          }
          block = next;
        }
        if (round % 500 == 0) arena.trim();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (Atomic<Letter*>& box : boxes) {
    if (Letter* const letter = box.exchange(nullptr, memory_order_acquire)) free_letter(letter);
  }
  arena.trim();
}

TEST(BlockArena, trim_gives_back_what_is_free_of_chunks_that_are_hardly_used) {
  static BlockArena arena;
  std::vector<void*> blocks = fill_a_chunk(arena);
  ASSERT_LE(blocks.size(), kMostInChunk);
  // The blocks of the last quarter stay.
  const std::size_t freed = blocks.size() * 3 / 4;
  for (std::size_t i = 0; i < freed; ++i) free(arena, blocks[i]);
  arena.trim();
  std::size_t resident = 0;
  for (std::size_t i = 0; i < freed; ++i) resident += is_resident(blocks[i]) ? 1 : 0;
  EXPECT_LE(resident, 2 * (32u << 10) / kLargest);  // the chunk's own page, and a span that is used in part
  for (std::size_t i = freed; i < blocks.size(); ++i) {
    EXPECT_EQ(static_cast<unsigned char*>(blocks[i])[kLargest - 1], 1);
    free(arena, blocks[i]);
  }
  arena.trim();
}

TEST(BlockArena, a_chunk_that_was_broken_up_serves_nothing_more_and_goes_in_the_end) {
  static BlockArena arena;
  auto [first, second] = begin_a_huge_chunk(arena);
  while (second.size() < kMostInChunk / 2) second.push_back(allocate(arena, kLargest));
  for (void* block : second) std::memset(block, 1, kLargest);
  void* const last = second.back();
  second.pop_back();
  for (void* block : second) free(arena, block);
  arena.trim();
  EXPECT_FALSE(is_resident(second[kMostInChunk / 4]));
  // Of another size, so that the span of the block that is left does not serve.
  for (int i = 0; i < 100; ++i) {
    void* const block = allocate(arena, kLargest / 2);
    EXPECT_NE(chunk_of(block), chunk_of(last));
    first.push_back(block);
  }
  EXPECT_TRUE(is_resident(last));
  free(arena, last);
  EXPECT_FALSE(is_resident(last));
  for (void* block : first) free(arena, block);
  arena.trim();
}

TEST(BlockArena, trim_leaves_huge_chunks_whole_that_are_mostly_used_or_grow) {
  static BlockArena arena;
  auto [first, second] = begin_a_huge_chunk(arena);
  std::vector<void*> freed;
  for (std::size_t most = 32; most <= kMostInChunk - 32; most *= 4) {
    while (second.size() + freed.size() < most) {
      second.push_back(allocate(arena, kLargest));
      std::memset(second.back(), 1, kLargest);
      ASSERT_EQ(chunk_of(second.back()), chunk_of(second.front()));
    }
    arena.trim();
    for (void* block : freed) EXPECT_TRUE(is_resident(block));
    for (std::size_t n = most / 4; n != 0; --n) {
      freed.push_back(second.back());
      second.pop_back();
    }
    for (auto block = freed.end() - static_cast<std::ptrdiff_t>(most / 4); block != freed.end(); ++block) {
      free(arena, *block);
    }
    arena.trim();
    for (void* block : freed) EXPECT_TRUE(is_resident(block));
    freed.clear();
  }
  for (void* block : first) free(arena, block);
  for (void* block : second) free(arena, block);
  arena.trim();
}

TEST(BlockArena, trim_leaves_a_huge_chunk_whole_that_was_idle_and_is_being_filled_again) {
  static BlockArena arena;
  auto [first, second] = begin_a_huge_chunk(arena);
  while (second.size() < kMostInChunk / 2) second.push_back(allocate(arena, kLargest));
  for (void* block : second) {
    std::memset(block, 1, kLargest);
    free(arena, block);
  }
  void* const again = allocate(arena, kLargest);
  ASSERT_EQ(chunk_of(again), chunk_of(second.front()));
  arena.trim();
  EXPECT_TRUE(is_resident(second[kMostInChunk / 4]));
  free(arena, again);
  for (void* block : first) free(arena, block);
  arena.trim();
}

TEST(BlockArena, idle_chunks_serve_again_and_none_is_left_when_all_is_free_and_trimmed) {
  static BlockArena arena;
  std::vector<void*> blocks = fill_a_chunk(arena);
  std::set<std::uintptr_t> chunks;
  for (void* block : blocks) {
    chunks.insert(chunk_of(block));
    free(arena, block);
  }
  for (void* block : blocks) EXPECT_TRUE(is_resident(block));
  const std::vector<void*> again = fill_a_chunk(arena);
  for (void* block : again) {
    EXPECT_EQ(chunks.count(chunk_of(block)), 1u);
    free(arena, block);
  }
  arena.trim();
  for (void* block : blocks) EXPECT_FALSE(is_resident(block));
}

TEST(BlockArena, what_is_idle_is_bounded) {
  constexpr std::size_t kMost = 64, kChunks = 80;
  static BlockArena arena;
  std::vector<void*> blocks;
  std::set<std::uintptr_t> chunks;
  while (chunks.size() < kChunks) {
    blocks.push_back(allocate(arena, kLargest));
    chunks.insert(chunk_of(blocks.back()));
  }
  const auto mapped = [&] {
    return std::count_if(chunks.begin(), chunks.end(), [](std::uintptr_t n) {
      return is_resident(reinterpret_cast<void*>(n * kChunk));  // NOLINT(performance-no-int-to-ptr)
    });
  };
  EXPECT_EQ(mapped(), kChunks);
  for (void* block : blocks) free(arena, block);
  EXPECT_LE(mapped(), kMost);
  EXPECT_GE(mapped(), 1);
  arena.trim();
  EXPECT_EQ(mapped(), 0);
}

#if !SCREE_UNDER_ASAN && !SCREE_SMALL_CAPACITIES
TEST(BlockCache, keeps_a_bounded_part_of_what_is_freed_and_serves_it_first) {
  constexpr std::size_t kSize = 128, kBlocks = 1000;
  BlockCache cache;
  std::vector<void*> blocks;
  for (std::size_t n = 0; n < kBlocks; ++n) {
    blocks.push_back(cache.allocate<8>(kSize));
    std::memset(blocks.back(), 1, kSize);
  }
  EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), kBlocks);
  for (void* block : blocks) cache.free<8>(block, kSize);
  // The last ones come first; what is not kept another cache can have.
  EXPECT_EQ(cache.allocate<8>(kSize), blocks.back());
  BlockCache other;
  std::set<void*> theirs;
  const std::set<void*> all(blocks.begin(), blocks.end());
  for (std::size_t n = 0; n < kBlocks; ++n) {
    void* const block = other.allocate<8>(kSize);
    if (all.count(block) != 0) theirs.insert(block);
    blocks[n] = block;
  }
  EXPECT_GE(theirs.size(), kBlocks / 2);
  for (void* block : blocks) other.free<8>(block, kSize);
  other.flush();
  cache.flush();
}

TEST(BlockCache, aligns_as_asked_and_leaves_what_is_large_to_the_allocator) {
  BlockCache cache;
  const auto check = [&]<std::size_t kAlignment>(std::integral_constant<std::size_t, kAlignment>) {
    for (const std::size_t bytes : {1u, 8u, 24u, 100u, 513u, 2000u, 2048u, 2049u, 100'000u}) {
      void* const block = cache.allocate<kAlignment>(bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % kAlignment, 0u) << bytes;
      EXPECT_GE(BlockCache::whole<kAlignment>(bytes), bytes);
      std::memset(block, 1, bytes);
      cache.free<kAlignment>(block, bytes);
      BlockCache::free_past_caches<kAlignment>(cache.allocate<kAlignment>(bytes), bytes);
    }
  };
  check(std::integral_constant<std::size_t, 1>());
  check(std::integral_constant<std::size_t, 8>());
  check(std::integral_constant<std::size_t, 16>());
  check(std::integral_constant<std::size_t, 64>());
  check(std::integral_constant<std::size_t, 256>());
  cache.flush();
}
#endif

}  // namespace
}  // namespace scree::detail
