// SPDX-License-Identifier: Apache-2.0
//
// An inner node of a TreeIndex: separators that never change, and pointers to children. Protocol and invariants:
// docs/protocols/leaf.md.

#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include <scree/atomic.h>
#include <scree/detail/platform.h>
#include <scree/detail/sorted_rank.h>
#include <scree/lock.h>

namespace scree::detail {

#if SCREE_SMALL_CAPACITIES
inline constexpr unsigned kInnerChildren = 4;
#else
inline constexpr unsigned kInnerChildren = 64;
#endif

// Child i covers the keys from separator i - 1 (inclusive) to separator i (exclusive). A child pointer changes under
// `lock` while that is not killed; above leaves, where it is not sealed, also without, from a frozen leaf to its
// copy.
template <class Slots>
class alignas(64) TreeInner {
 public:
  using Head = typename Slots::Head;
  using Copy = typename Slots::Copy;
  using Separator = typename Slots::Separator;

  // The maker sets children and separators before anybody else sees the node.
  static TreeInner* make(const typename Slots::Memory& memory, unsigned level, unsigned children) {
    return ::new (memory.allocate_node(bytes(children))) TreeInner(level, children);
  }
  // By the tree; not its separators.
  static void destroy(void* node) noexcept { static_cast<TreeInner*>(node)->let_go(); }
  // Coroutines that wait for the lock, outside barriers, pin the node under one before; its memory stays until the last
  // of them and the tree have let go.
  void pin() noexcept { owners_.fetch_add(1, memory_order_relaxed); }  // [T19]
  void let_go() noexcept {
    if (owners_.fetch_sub(1, memory_order_acq_rel) != 1) return;  // [T18]
    const std::size_t bytes = this->bytes();
    this->~TreeInner();
    Slots::Memory::free_node(this, bytes);
  }
  std::size_t bytes() const noexcept { return bytes(child_count); }

  // The child whose range has the probe: the number of separators not above it.
  template <class Compare, class Probe>
  unsigned child_index(const Compare& compare, const Probe& probe) const {
    const unsigned separators = child_count - 1;
    if constexpr (requires { probe.head; }) {
      const unsigned low = rank_from_end<RankOf::kBelow>(probe.kHow, heads(), separators, probe.head);
      if (low == separators || heads()[low] != probe.head) return low;
      return search(compare, low, sorted_rank<RankOf::kNotAbove>(probe.kHow, heads(), separators, probe.head), probe);
    } else if constexpr (Slots::kNumbers && requires { probe.kHow; }) {
      return rank_from_end<RankOf::kNotAbove>(probe.kHow, heads(), separators, probe.key);
    } else {
      return search(compare, 0, separators, probe);
    }
  }

  void* child(unsigned index) const noexcept {
    const std::uintptr_t bits = children()[index].load(memory_order_acquire);  // [T8]
    return reinterpret_cast<void*>(bits & ~kSealed);                           // NOLINT(performance-no-int-to-ptr)
  }
  Separator separator(unsigned index) const noexcept {
    Separator separator{};
    if constexpr (Slots::kHasHead) separator.head = heads()[index];
    if constexpr (kHasCopy) separator.copy = copies()[index];
    return separator;
  }

  // By the maker.
  void set_child(unsigned index, void* child) noexcept { children()[index].store(word(child), memory_order_relaxed); }
  void set_separator(unsigned index, const Separator& separator) noexcept {
    if constexpr (Slots::kHasHead) const_cast<Plain<Head>&>(heads()[index]) = separator.head;
    if constexpr (kHasCopy) const_cast<Plain<Copy>&>(copies()[index]) = separator.copy;
  }

  // Under the lock, above inner nodes.
  void replace_child(unsigned index, void* child) noexcept {
    children()[index].store(word(child), memory_order_release);  // [T9]
  }
  // Above leaves. False if there is another one or the node is sealed.
  bool exchange_child(unsigned index, void* old, void* child) noexcept {
    std::uintptr_t bits = word(old);
    return children()[index].compare_exchange_strong(bits, word(child),  // [T10]
                                                     memory_order_release, memory_order_relaxed);
  }
  // Under the lock, above leaves: from here on no child pointer changes, until it is undone.
  void seal() noexcept {
    for (unsigned i = 0; i < child_count; ++i) children()[i].fetch_or(kSealed, memory_order_acq_rel);  // [T11]
  }
  void unseal() noexcept {
    for (unsigned i = 0; i < child_count; ++i) children()[i].fetch_and(~kSealed, memory_order_release);  // [T12]
  }

  static void prefetch(const void* node) noexcept { prefetch_lines(node, bytes(kInnerChildren * 3 / 4)); }

  const std::uint32_t level;  // 1: the children are leaves
  const std::uint32_t child_count;
  Lock lock;  // of writers that change the structure below; readers never take it. Killed when the node is replaced

 private:
  static constexpr std::uintptr_t kSealed = 1;
  static constexpr bool kHasCopy = !Slots::kInlineKey;
  static constexpr std::size_t kHeadBytes = Slots::kHasHead ? sizeof(Head) : 0;

  TreeInner(unsigned node_level, unsigned children_of) noexcept : level(node_level), child_count(children_of) {
    for (unsigned i = 0; i < children_of; ++i) new (children() + i) Atomic<std::uintptr_t>(0);
  }

  static std::uintptr_t word(const void* child) noexcept { return reinterpret_cast<std::uintptr_t>(child); }

  static constexpr std::size_t copies_at(std::size_t separators) {
    return (sizeof(TreeInner) + separators * kHeadBytes + 7) / 8 * 8;
  }
  static constexpr std::size_t children_at(std::size_t separators) {
    return copies_at(separators) + (kHasCopy ? separators * sizeof(Copy) : 0);
  }
  static constexpr std::size_t bytes(std::size_t children) {
    return children_at(children - 1) + children * sizeof(Atomic<std::uintptr_t>);
  }
  template <class T>
  T* field(std::size_t offset) const noexcept {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(const_cast<TreeInner*>(this)) + offset);
  }
  const Plain<Head>* heads() const noexcept { return field<Plain<Head>>(sizeof(TreeInner)); }
  const Plain<Copy>* copies() const noexcept { return field<Plain<Copy>>(copies_at(child_count - 1)); }
  Atomic<std::uintptr_t>* children() const noexcept {
    return field<Atomic<std::uintptr_t>>(children_at(child_count - 1));
  }

  // Among the separators [low, high), outside of which none is equal.
  template <class Compare, class Probe>
  unsigned search(const Compare& compare, unsigned low, unsigned high, const Probe& probe) const {
    return rank_between(low, high, [&](unsigned i) { return !Slots::above(compare, separator(i), probe); });
  }

  Atomic<std::uint32_t> owners_{1};
};

}  // namespace scree::detail
