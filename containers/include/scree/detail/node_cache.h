// SPDX-License-Identifier: Apache-2.0
//
// NodeCache: makes and destroys small nodes, and keeps the memory of some that were destroyed for those made next.
// Reclamation destroys in bursts, when a barrier that held it back has ended, for which an allocator's own cache of a
// few blocks per thread is not made.
//
// Thread safety: one thread at a time. It is a part of a thread's record in the reclamation domain (ebr_record.h); what
// is in it when the thread exits serves the next one that has the record.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <scree/atomic.h>

namespace scree::detail {

// Memory of one size that was given back and is kept.
class KeptMemory {
 public:
  // Null if there is none.
  void* take(std::size_t size) noexcept {
    Free* const first = first_;
    if (first == nullptr) return nullptr;
    first_ = first->next;
    bytes_ -= size;
    __builtin_prefetch(first_, 1);  // it may have lain there for long
    return first;
  }
  // False if that would be more than `most` bytes.
  bool keep(void* memory, std::size_t size, std::size_t most) noexcept {
    if (bytes_ + size > most) return false;
    first_ = ::new (memory) Free{first_};
    bytes_ += size;
    return true;
  }

 private:
  struct Free {
    Free* next;
  };

  Free* first_ = nullptr;
  std::size_t bytes_ = 0;
};

class NodeCache {
 public:
  // Throws what the constructor throws, or std::bad_alloc.
  template <class Node, class... Args>
  Node* make(Args&&... args) {
    if constexpr (kIsSmall<Node>) {
      void* const memory = allocate(class_of<Node>(), kSize<Node>);
      try {
        return ::new (memory) Node(std::forward<Args>(args)...);
      } catch (...) {
        free(class_of<Node>(), memory, kSize<Node>);
        throw;
      }
    } else {
      return new Node(std::forward<Args>(args)...);
    }
  }

  // Of a node that this or another thread's cache made.
  template <class Node>
  void destroy(Node* node) noexcept {
    if constexpr (kIsSmall<Node>) {
      node->~Node();
      free(class_of<Node>(), node, kSize<Node>);
    } else {
      delete node;
    }
  }

  // Of the memory for nodes of each size, sizes rounded up to 16.
#if SCREE_SMALL_CAPACITIES || SCREE_MODEL || SCREE_UNDER_ASAN
  static constexpr std::size_t kBytesKept = 0;  // whoever watches the allocator is to see each node destroyed
#else
  static constexpr std::size_t kBytesKept = 16u << 10;
#endif
  static constexpr std::size_t kLargest = 128;

 private:
  static constexpr std::size_t kGrain = 16;
  template <class Node>
  static constexpr bool kIsSmall = sizeof(Node) <= kLargest && alignof(Node) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;
  template <class Node>
  static constexpr std::size_t kSize = (sizeof(Node) + kGrain - 1) / kGrain* kGrain;
  template <class Node>
  KeptMemory& class_of() noexcept {
    return classes_[kSize<Node> / kGrain - 1];
  }

  static void* allocate(KeptMemory& kept, std::size_t size) {
    void* const memory = kept.take(size);
    return memory != nullptr ? memory : ::operator new(size);
  }
  static void free(KeptMemory& kept, void* memory, std::size_t size) noexcept {
    if (!kept.keep(memory, size, kBytesKept)) ::operator delete(memory);
  }

  std::array<KeptMemory, kLargest / kGrain> classes_{};
};

}  // namespace scree::detail
