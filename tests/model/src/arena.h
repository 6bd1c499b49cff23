// SPDX-License-Identifier: Apache-2.0
//
// The heap of an execution. Blocks are never reused before the execution ends, so a stale pointer stays recognisable,
// and each execution sees the same addresses, so that code which hashes pointers runs the same way again.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace scree::model {

struct Block {
  std::uintptr_t begin;
  std::size_t size;
  int first_variable;  // of those in it that were touched (Memory's list), or -1
  const void* caller;  // of operator new
  std::int16_t thread;
  std::int16_t time;  // of the allocating thread
  bool engine;        // of the engine itself: no leak
  bool freed = false;
  int freed_by = 0;
  const void* freed_at = nullptr;  // the caller of operator delete
};

class Arena {
 public:
  Arena();

  // Forgets every block.
  void reset();
  // Null where the arena is full. Fresh memory is filled with a pattern.
  void* allocate(std::size_t size, std::size_t alignment);
  Block& last() { return blocks_.back(); }
  bool contains(const void* address) const;
  // The block that the address lies in, or null.
  Block* find(const void* address);
  const std::vector<Block>& blocks() const { return blocks_; }

 private:
  std::byte* memory_;
  std::size_t used_ = 0;
  std::vector<Block> blocks_;  // in the order of their addresses
};

}  // namespace scree::model
