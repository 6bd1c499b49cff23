// SPDX-License-Identifier: Apache-2.0
//
// HashTable: one array of chains under HashIndex. A link names an entry; the entries belong to the index, the links to
// their table, so that a resize builds the next table out of new links to the same entries while readers go on in this one.
//
// Invariants (argued on docs/protocols/hash.md):
//   1. Chains are written by the owner of their stripe only, each time with one store.
//   2. A link enters a chain at its head or in the exact place of the link that it replaces, and never moves.
//   3. An unlinked link keeps its `next`.
//   4. Once a successor of this table is published, nothing in this one changes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <scree/atomic.h>
#include <scree/ebr.h>
#include <scree/sync_point.h>

namespace scree::detail {

template <class Entry>
struct HashLink {
  // Written before the link is published; only `next` changes afterwards.
  std::uint64_t hash = 0;
  Entry* entry = nullptr;
  Atomic<HashLink*> next{nullptr};
};

template <class Entry>
class HashTable {
 public:
  using Link = HashLink<Entry>;

  // `slab`: how many links are taken from the table's own block by take().
  HashTable(unsigned bits, std::size_t slab)
      : bits_(bits),
        heads_(std::make_unique<Atomic<Link*>[]>(std::size_t{1} << bits)),
        slab_(std::make_unique<Link[]>(slab)),
        slab_size_(slab) {}

  unsigned bits() const noexcept { return bits_; }
  std::size_t buckets() const noexcept { return std::size_t{1} << bits_; }
  // The home bucket comes from the high hash bits: in a larger table a bucket's entries lie side by side.
  std::size_t home(std::uint64_t hash) const noexcept { return hash >> (64 - bits_); }
  Atomic<Link*>& head(std::size_t bucket) noexcept { return heads_[bucket]; }
  const Atomic<Link*>& head(std::size_t bucket) const noexcept { return heads_[bucket]; }

  // H1: acquire pairs with the releases of H2-H4, so that a link found here is seen whole with its entry.
  template <class Matches>
  Link* find(std::uint64_t hash, const Matches& matches) const {
    for (Link* l = heads_[home(hash)].load(memory_order_acquire); l != nullptr; l = l->next.load(memory_order_acquire)) {
      SCREE_SYNC_POINT("hash:find:link");
      if (l->hash == hash && matches(*l->entry)) return l;
    }
    return nullptr;
  }

  // The pointer that leads to `link`, which is in this table. The caller owns the stripe.
  Atomic<Link*>& place_of(const Link* link) noexcept {
    Atomic<Link*>* place = &heads_[home(link->hash)];
    while (place->load(memory_order_relaxed) != link) place = &place->load(memory_order_relaxed)->next;
    return *place;
  }

  // H2. The caller owns the stripe.
  void push(Link* link) noexcept {
    Atomic<Link*>& head = heads_[home(link->hash)];
    link->next.store(head.load(memory_order_relaxed), memory_order_relaxed);
    head.store(link, memory_order_release);
  }
  // H3. One store, so that no reader misses the key. The caller owns the stripe.
  void replace(Link* old, Link* link) noexcept {
    link->next.store(old->next.load(memory_order_relaxed), memory_order_relaxed);
    place_of(old).store(link, memory_order_release);
  }
  // H4. The caller owns the stripe.
  void unlink(Link* link) noexcept {
    place_of(link).store(link->next.load(memory_order_relaxed), memory_order_release);
  }

  // The next link of the table's own block.
  Link* take(std::uint64_t hash, Entry* entry) noexcept {
    Link* link = &slab_[slab_used_++];
    link->hash = hash;
    link->entry = entry;
    return link;
  }

  // Retires a link that was unlinked from this table: those of the block go with the table.
  void retire_link(Link* link, const ebr::Barrier& barrier) const noexcept {
    if (!in_slab(link)) barrier.retire(link);
  }

  // Frees the table, in bounded pieces, once no barrier can reach it; with its entries where no other table has them.
  static void retire(HashTable* table, bool with_entries, const ebr::Barrier& barrier) noexcept {
    table->owns_entries_ = with_entries;
    barrier.retire(table, &HashTable::dismantle, kHeavy);
  }

 private:
  static constexpr std::size_t kBucketsPerPiece = 16384;
  static constexpr std::size_t kHeavy = std::size_t{1} << 20;  // have it collected soon

  bool in_slab(const Link* link) const noexcept {
    const std::less<const Link*> before;
    return !before(link, slab_.get()) && before(link, slab_.get() + slab_size_);
  }

  static void dismantle(void* p) {
    std::unique_ptr<HashTable> table(static_cast<HashTable*>(p));
    for (std::size_t n = 0; n < kBucketsPerPiece && table->dismantled_ < table->buckets(); ++n) {
      Link* link = table->heads_[table->dismantled_++].load(memory_order_relaxed);
      while (link != nullptr) {
        Link* next = link->next.load(memory_order_relaxed);
        if (table->owns_entries_) Entry::destroy(link->entry);
        if (!table->in_slab(link)) delete link;
        link = next;
      }
    }
    if (table->dismantled_ < table->buckets()) {
      const ebr::Barrier barrier;
      barrier.retire(table.release(), &HashTable::dismantle, kHeavy);
    }
  }

  const unsigned bits_;  // at least 1
  const std::unique_ptr<Atomic<Link*>[]> heads_;
  const std::unique_ptr<Link[]> slab_;
  const std::size_t slab_size_;
  std::size_t slab_used_ = 0;   // while the table is built
  std::size_t dismantled_ = 0;  // buckets; once the table is unreachable
  bool owns_entries_ = false;
};

}  // namespace scree::detail
