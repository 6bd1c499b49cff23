// SPDX-License-Identifier: Apache-2.0
//
// Memory that knows what has been allocated of it, and allocators for it. What is given back must have the address,
// size and alignment of an allocation.

#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <memory_resource>
#include <mutex>
#include <new>

namespace scree::test {

// Any thread at any time.
class TrackedMemory final : public std::pmr::memory_resource {
 public:
  TrackedMemory() = default;
  TrackedMemory(const TrackedMemory&) = delete;
  TrackedMemory& operator=(const TrackedMemory&) = delete;
  ~TrackedMemory() override { EXPECT_EQ(outstanding(), 0u); }

  std::size_t outstanding() const {
    const std::lock_guard lock(mutex_);
    return outstanding_;
  }
  std::size_t allocations() const {
    const std::lock_guard lock(mutex_);
    return allocations_;
  }
  // The n-th allocation from now on throws std::bad_alloc; with 0, none does.
  void fail_at(std::size_t n) {
    const std::lock_guard lock(mutex_);
    left_ = n;
  }

 private:
  struct Block {
    std::size_t bytes, alignment;
  };

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    const std::lock_guard lock(mutex_);
    if (left_ != 0 && --left_ == 0) throw std::bad_alloc();
    void* const block = ::operator new (bytes, std::align_val_t{alignment});
    blocks_.emplace(block, Block{bytes, alignment});
    outstanding_ += bytes;
    ++allocations_;
    return block;
  }
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find(block);
    if (found == blocks_.end()) {
      ADD_FAILURE() << "there is no such block";
      return;
    }
    EXPECT_EQ(found->second.bytes, bytes);
    EXPECT_EQ(found->second.alignment, alignment);
    outstanding_ -= found->second.bytes;
    ::operator delete (block, std::align_val_t{found->second.alignment});
    blocks_.erase(found);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  mutable std::mutex mutex_;
  std::map<void*, Block> blocks_;
  std::size_t outstanding_ = 0;  // bytes
  std::size_t allocations_ = 0;
  std::size_t left_ = 0;
};

// Without a default constructor.
template <class T>
class TrackingAllocator {
 public:
  using value_type = T;

  explicit TrackingAllocator(TrackedMemory& memory) noexcept : memory_(&memory) {}
  template <class Other>
  TrackingAllocator(const TrackingAllocator<Other>& other) noexcept  // NOLINT(google-explicit-constructor): required
      : memory_(&other.memory()) {}

  T* allocate(std::size_t n) { return static_cast<T*>(memory_->allocate(n * sizeof(T), alignof(T))); }
  void deallocate(T* block, std::size_t n) noexcept { memory_->deallocate(block, n * sizeof(T), alignof(T)); }

  TrackedMemory& memory() const noexcept { return *memory_; }
  template <class Other>
  bool operator==(const TrackingAllocator<Other>& other) const noexcept {
    return memory_ == &other.memory();
  }

 private:
  TrackedMemory* memory_;
};

inline TrackedMemory& stateless_memory() {
  static TrackedMemory memory;
  return memory;
}
// Of stateless_memory().
template <class T>
class StatelessAllocator {
 public:
  using value_type = T;

  StatelessAllocator() noexcept = default;
  template <class Other>
  StatelessAllocator(const StatelessAllocator<Other>&) noexcept {}  // NOLINT(google-explicit-constructor): required

  T* allocate(std::size_t n) { return static_cast<T*>(stateless_memory().allocate(n * sizeof(T), alignof(T))); }
  void deallocate(T* block, std::size_t n) noexcept { stateless_memory().deallocate(block, n * sizeof(T), alignof(T)); }

  template <class Other>
  bool operator==(const StatelessAllocator<Other>&) const noexcept {
    return true;
  }
};

}  // namespace scree::test
