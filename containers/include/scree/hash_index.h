// SPDX-License-Identifier: Apache-2.0
//
// HashIndex: an unordered map whose reads take no lock, write nothing shared and never wait (wait-free but for the
// length of a chain). Writers of one stripe of the hash space wait for each other; a resize makes all writers wait, no
// reader.
//
//   Linearizable   read, contains, peek, insert, upsert, remove, remove_if, find_or_insert
//   Iteration      an entry present throughout is visited exactly once, one inserted or removed meanwhile at most once
//   References     what was obtained under a barrier stays valid until it ends, also if the entry or the index goes
//   Exceptions     if hash, equality, a copy or an allocation throws, nothing has changed; an insert that does not
//                  insert leaves its arguments as they were
//
// Protocol: docs/protocols/hash.md.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/entry.h>
#include <scree/detail/hash_function.h>
#include <scree/detail/hash_table.h>
#include <scree/ebr.h>
#include <scree/lock.h>
#include <scree/sync_point.h>

namespace scree {

// For K = std::string the keys lie in their entries and are shown as std::string_view; any key that converts to one is
// accepted, and a HashFunction of the user's takes one. For other keys a foreign key type is passed on as it is where
// HashFunction and Equal are both transparent, else converted to K.
template <class K, class V, class HashFunction = Hash<K>, class Equal = std::equal_to<>>
class HashIndex {
  using Entry = detail::Entry<K, V>;
  using Table = detail::HashTable<Entry>;
  using Link = detail::HashLink<Entry>;

 public:
  using KeyView = detail::key_view_t<K>;
  class Iterator;
  class Range;

  HashIndex() : HashIndex(HashFunction(), Equal()) {}
  explicit HashIndex(HashFunction hash, Equal equal = Equal())
      : hash_(std::move(hash)), equal_(std::move(equal)), table_(new Table(kInitialBits, 0)) {}
  ~HashIndex() {
    const ebr::Barrier barrier;
    Table::retire(table_.load(memory_order_acquire), true, barrier);
  }
  HashIndex(const HashIndex&) = delete;
  HashIndex& operator=(const HashIndex&) = delete;

  // False if the key is present.
  template <class Q, class Value>
  bool insert(Q&& key, Value&& value) {
    const ebr::Barrier barrier;
    const std::uint64_t hash = hash_of(key);
    if (find(key, hash) != nullptr) return false;
    Pending pending(hash, std::forward<Q>(key), std::forward<Value>(value));
    SCREE_SYNC_POINT("hash:insert:made");
    try {
      if (publish_if_absent(pending) == nullptr) return true;
    } catch (...) {
      pending.give_back(std::forward<Q>(key), std::forward<Value>(value));
      throw;
    }
    pending.give_back(std::forward<Q>(key), std::forward<Value>(value));
    return false;
  }

  // Inserts, or puts a new entry in the place of the present one, which readers may keep. True if it replaced one.
  template <class Q, class Value>
  bool upsert(Q&& key, Value&& value) {
    const ebr::Barrier barrier;
    const std::uint64_t hash = hash_of(key);
    Pending pending(hash, std::forward<Q>(key), std::forward<Value>(value));
    Table* table;
    Link* old;
    bool full = false;
    try {
      const std::lock_guard guard(stripe(hash).lock);
      table = table_.load(memory_order_relaxed);
      old = table->find(hash, matches(pending.key()));
      if (old != nullptr) {
        table->replace(old, pending.release());
      } else {
        full = push(table, pending);
      }
    } catch (...) {
      pending.give_back(std::forward<Q>(key), std::forward<Value>(value));
      throw;
    }
    if (old != nullptr) retire(*table, old, barrier);
    if (full) grow(table, barrier);
    return old != nullptr;
  }

  // False if the key is absent.
  template <class Q>
  bool remove(const Q& key) {
    return remove_if(key, [](const V&) { return true; });
  }

  // Removes the entry if it is present and `condition(const V&)` holds for it; both in one step. The condition may read
  // the index, not write to it.
  template <class Q, class Condition>
  bool remove_if(const Q& key, Condition&& condition) {
    const ebr::Barrier barrier;
    decltype(auto) k = lookup(key);
    const std::uint64_t hash = hash_of(k);
    Table* table;
    Link* link;
    {
      Stripe& s = stripe(hash);
      const std::lock_guard guard(s.lock);
      table = table_.load(memory_order_relaxed);
      link = table->find(hash, matches(k));
      if (link == nullptr || !condition(std::as_const(link->entry->value()))) return false;
      table->unlink(link);
      s.add(-1);
    }
    SCREE_SYNC_POINT("hash:remove:unlinked");
    // Outside the lock: it may free what others retired, and run destructors that use this index.
    retire(*table, link, barrier);
    return true;
  }

  // Calls `f(KeyView, const V&)` on the entry and returns its result, or nothing if the key is absent. For an `f` that
  // returns void: whether it was called.
  template <class Q, class F>
  auto read(const Q& key, F&& f) const {
    using Result = std::invoke_result_t<F, KeyView, const V&>;
    const ebr::Barrier barrier;
    const Link* link = find(key, hash_of(key));
    if constexpr (std::is_void_v<Result>) {
      if (link != nullptr) std::forward<F>(f)(link->entry->key(), std::as_const(*link->entry).value());
      return link != nullptr;
    } else {
      std::optional<std::remove_cvref_t<Result>> result;
      if (link != nullptr) result.emplace(std::forward<F>(f)(link->entry->key(), std::as_const(*link->entry).value()));
      return result;
    }
  }

  template <class Q>
  bool contains(const Q& key) const {
    const ebr::Barrier barrier;
    return find(key, hash_of(key)) != nullptr;
  }

  // The value, valid until `barrier` ends; null if the key is absent.
  template <class Q>
  const V* peek(const Q& key, const ebr::Barrier&) const {
    const Link* link = find(key, hash_of(key));
    return link == nullptr ? nullptr : &link->entry->value();
  }
  template <class Q>
  const V* peek(const Q& key, const ebr::Barrier&&) const = delete;

  // The value of the entry, valid until `barrier` ends, and whether this call inserted it, as V(args...). `args` may be
  // consumed also if another thread inserts the key at the same time.
  template <class Q, class... Args>
  std::pair<V&, bool> find_or_insert(Q&& key, const ebr::Barrier&, Args&&... args) {
    const std::uint64_t hash = hash_of(key);
    if (Link* link = find(key, hash)) return {link->entry->value(), false};
    Pending pending(hash, std::forward<Q>(key), std::forward<Args>(args)...);
    V& value = pending.value();
    if (Link* link = publish_if_absent(pending)) return {link->entry->value(), false};
    return {value, true};
  }
  template <class Q, class... Args>
  std::pair<V&, bool> find_or_insert(Q&& key, const ebr::Barrier&&, Args&&... args) = delete;

  // For a range-for: yields std::pair<KeyView, const V&>, valid until `barrier` ends.
  Range iter(const ebr::Barrier&) const { return Range(table_.load(memory_order_acquire)); }
  Range iter(const ebr::Barrier&&) const = delete;

  // Exact while nobody writes. O(stripes).
  std::size_t len() const noexcept {
    std::int64_t n = 0;
    for (const Stripe& s : stripes_) n += s.count.load(memory_order_relaxed);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  bool is_empty() const noexcept { return len() == 0; }

  // Removes what was inserted before it, in one step.
  void clear() {
    const ebr::Barrier barrier;
    auto empty = std::make_unique<Table>(kInitialBits, 0);
    Table* old;
    {
      const AllStripes lock(stripes_);
      old = table_.exchange(empty.release(), memory_order_acq_rel);
      for (Stripe& s : stripes_) s.count.store(0, memory_order_relaxed);
    }
    Table::retire(old, true, barrier);
  }

 private:
#if SCREE_SMALL_CAPACITIES
  static constexpr unsigned kStripeBits = 1;
#else
  static constexpr unsigned kStripeBits = 6;
#endif
  // A table has at least as many buckets as there are stripes, so that a bucket belongs to one stripe.
  static constexpr unsigned kInitialBits = kStripeBits;

  // The writers' lock of one part of the hash space, whatever the table.
  struct alignas(64) Stripe {
    Lock lock;
    Atomic<std::int64_t> count{0};  // written under `lock`

    void add(int n) noexcept { count.store(count.load(memory_order_relaxed) + n, memory_order_relaxed); }
  };
  using Stripes = std::array<Stripe, std::size_t{1} << kStripeBits>;

  class AllStripes {
   public:
    explicit AllStripes(Stripes& stripes) : stripes_(stripes) {
      for (Stripe& s : stripes_) static_cast<void>(s.lock.lock());  // never killed
    }
    ~AllStripes() {
      for (Stripe& s : stripes_) s.lock.unlock();
    }
    AllStripes(const AllStripes&) = delete;
    AllStripes& operator=(const AllStripes&) = delete;

   private:
    Stripes& stripes_;
  };

  // A link and its entry before they are published; destroys them if they are not.
  class Pending {
   public:
    template <class Q, class... Args>
    Pending(std::uint64_t hash, Q&& key, Args&&... args) : link_(new Link) {
      link_->hash = hash;
      // The arguments are used last: whatever throws before it leaves them untouched.
      link_->entry = Entry::make(detail::HeapMemory(), std::forward<Q>(key), std::forward<Args>(args)...);
    }
    ~Pending() {
      if (link_ != nullptr) Entry::destroy(link_->entry);
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    KeyView key() const noexcept { return link_->entry->key(); }
    V& value() noexcept { return link_->entry->value(); }
    std::uint64_t hash() const noexcept { return link_->hash; }
    Link* release() noexcept { return link_.release(); }
    template <class Q, class Value>
    void give_back(Q&& key, Value&& value) noexcept {
      link_->entry->give_back(std::forward<Q>(key), std::forward<Value>(value));
    }

   private:
    std::unique_ptr<Link> link_;
  };

  template <class Q>
  static decltype(auto) lookup(const Q& key) {
    return detail::lookup_key<K, HashFunction, Equal>(key);
  }
  template <class Q>
  std::uint64_t hash_of(const Q& key) const {
    return detail::mix_hash(static_cast<std::uint64_t>(hash_(lookup(key))));
  }
  template <class Q>
  auto matches(const Q& key) const {
    return [this, &key](const Entry& entry) { return static_cast<bool>(equal_(entry.key(), key)); };
  }

  // A reader: the table that is current now, or what becomes of it (docs/protocols/hash.md). Under a barrier.
  template <class Q>
  Link* find(const Q& key, std::uint64_t hash) const {
    decltype(auto) k = lookup(key);
    const Table* table = table_.load(memory_order_acquire);
    SCREE_SYNC_POINT("hash:find:table");
    return table->find(hash, matches(k));
  }

  Stripe& stripe(std::uint64_t hash) noexcept { return stripes_[hash >> (64 - kStripeBits)]; }

  // Publishes `pending` and returns null, or returns the present link and publishes nothing. Under a barrier.
  Link* publish_if_absent(Pending& pending) {
    Table* table;
    bool full;
    {
      const std::lock_guard guard(stripe(pending.hash()).lock);
      table = table_.load(memory_order_relaxed);
      if (Link* present = table->find(pending.hash(), matches(pending.key()))) return present;
      full = push(table, pending);
    }
    if (full) grow(table, ebr::Barrier());
    return nullptr;
  }

  // True if the table should grow. The caller owns the stripe.
  bool push(Table* table, Pending& pending) noexcept {
    Stripe& s = stripe(pending.hash());
    s.add(1);
    table->push(pending.release());
    // The stripe's own count first: it is at hand, and only a badly spread hash makes it mislead.
    return static_cast<std::size_t>(s.count.load(memory_order_relaxed)) > table->buckets() >> kStripeBits &&
           len() > table->buckets();
  }

  static void retire(const Table& table, Link* link, const ebr::Barrier& barrier) noexcept {
    barrier.retire(link->entry, &Entry::destroy, link->entry->bytes());
    table.retire_link(link, barrier);
  }

  // Doubles `full` unless someone else has replaced it. Best effort: without memory the chains stay longer.
  void grow(const Table* full, const ebr::Barrier& barrier) noexcept {
    Table* old;
    {
      const AllStripes lock(stripes_);
      old = table_.load(memory_order_relaxed);
      if (old != full) return;
      std::unique_ptr<Table> table;
      try {
        table = std::make_unique<Table>(old->bits() + 1, len());
      } catch (const std::bad_alloc&) {
        return;
      }
      for (std::size_t bucket = 0; bucket < old->buckets(); ++bucket) {
        for (const Link* l = old->head(bucket).load(memory_order_relaxed); l != nullptr;
             l = l->next.load(memory_order_relaxed)) {
          table->push(table->take(l->hash, l->entry));
        }
      }
      SCREE_SYNC_POINT("hash:resize:built");
      // H5: publishes the new links; from here on the old table is frozen.
      table_.store(table.release(), memory_order_release);
      SCREE_SYNC_POINT("hash:resize:published");
    }
    Table::retire(old, false, barrier);
  }

  [[no_unique_address]] HashFunction hash_;
  [[no_unique_address]] Equal equal_;
  alignas(64) Atomic<Table*> table_;
  Stripes stripes_;
};

// Walks the table that was current when the iteration began, bucket by bucket.
template <class K, class V, class HashFunction, class Equal>
class HashIndex<K, V, HashFunction, Equal>::Iterator {
 public:
  using value_type = std::pair<KeyView, const V&>;
  using difference_type = std::ptrdiff_t;

  value_type operator*() const noexcept { return {link_->entry->key(), std::as_const(*link_->entry).value()}; }
  Iterator& operator++() noexcept {
    link_ = link_->next.load(memory_order_acquire);
    settle();
    return *this;
  }
  void operator++(int) noexcept { ++*this; }
  friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.link_ == nullptr; }

 private:
  friend class Range;
  explicit Iterator(const Table* table) noexcept : table_(table) { settle(); }

  void settle() noexcept {
    while (link_ == nullptr && bucket_ < table_->buckets()) link_ = table_->head(bucket_++).load(memory_order_acquire);
  }

  const Table* table_;
  const Link* link_ = nullptr;
  std::size_t bucket_ = 0;  // the next one
};

template <class K, class V, class HashFunction, class Equal>
class HashIndex<K, V, HashFunction, Equal>::Range {
 public:
  Iterator begin() const noexcept { return Iterator(table_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class HashIndex;
  explicit Range(const Table* table) noexcept : table_(table) {}

  const Table* table_;
};

}  // namespace scree
