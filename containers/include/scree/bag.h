// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/bag_block.h>
#include <scree/ebr.h>
#include <scree/sync_point.h>

namespace scree {

// A lock-free container without an order. What is in it can be reached only by taking it out.
//
// The first 32 elements lie in the Bag itself; only what is beyond takes memory, one allocation for 64, which
// goes when its last element has been taken out. The protocol, and why "empty" is an answer about one instant, is on
// docs/protocols/bag.md.
//
// Thread safety: everything may be called at any time from any thread, but the destructor and iter(), which need the
// bag for themselves.
// Progress: lock-free, allocation aside. A thread that is stopped anywhere costs the others the slots it is at: one,
// or, while it uses up what is left of a block, as many as that. Where elements lie beyond the Bag, T's constructor and
// what pop_all() calls run under an ebr::Barrier: what other threads retire waits for them.
//
// Linearizable, with what happens before a call taken for what was done before it: a push takes effect when its element
// is in place, a pop when it has claimed one, or, empty-handed, at an instant at which nothing was there. (As with any
// release, whoever pushes and then looks at another variable needs a seq_cst fence in between to be sure that not both,
// it and someone who writes there and then looks into the bag, miss each other's.)
//
// Exceptions: whatever throws (T's constructors, an allocation: that of a block, or of what reclamation keeps for each
// thread) leaves the bag with the elements it had.
//
// T: its destructor must not throw. Being movable is needed for pop() alone. kInline, a power of two, is the number of
// elements that lie in the Bag, kBlock that of those in a block.
template <class T, std::uint32_t kInline = detail::kBagInline, std::uint32_t kBlock = detail::kBagBlock>
class Bag {
  static_assert(std::is_nothrow_destructible_v<T>);
  using Slot = detail::BagSlot<T>;
  using Claim = typename Slot::Claim;
  using Block = detail::BagBlock<T, kBlock>;
  using Link = detail::BagLink<Block>;

 public:
  static constexpr std::size_t kInlineCapacity = kInline;

  Bag() noexcept = default;
  ~Bag() {
    for (T& element : iter()) std::destroy_at(&element);
    for (Block* block = head_.get(); block != nullptr;) {
      const std::unique_ptr<Block> last(block);
      block = block->next().get();
    }
  }
  Bag(const Bag&) = delete;
  Bag& operator=(const Bag&) = delete;

  void push(const T& value) { emplace(value); }
  void push(T&& value) { emplace(std::move(value)); }

  template <class... Args>
  void emplace(Args&&... args) {
    if (const Claim claim = inline_.claim_at(detail::bag_place())) [[likely]] {
      claim.slot->fill(claim.word, claim.word, std::forward<Args>(args)...);
    } else {
      emplace_anywhere(std::forward<Args>(args)...);
    }
  }

  // Takes some element out, or says that there was none. If T's move constructor throws, the element is in the bag
  // again: to others it was away for a moment. (Inlined, g++ 12 returns the optional through memory, written in parts
  // and read whole, which stalls: 23 ns for a push and a pop instead of 12.)
  [[gnu::noinline]] std::optional<T> pop() {
    if (const Claim taken = inline_.take_at(detail::bag_place())) [[likely]] {
      return move_out(taken);
    }
    return pop_anywhere();
  }

  // Takes the elements out one by one, with a call of `use(T&&)` for each; returns how many. Every element whose push
  // happened before is taken once, by this or by others; of those pushed meanwhile, some. It is not one instant's
  // content. Goes to every slot once. `use` may do with this bag what it likes. If it throws, its element is gone and
  // the others stay.
  template <class Use>
  std::size_t pop_all(Use&& use) {
    std::size_t given = 0;
    const auto give = [&](Slot& slot) {
      detail::BagWord seen(0);
      const Claim taken = slot.take(seen);
      if (!taken) return;
      ++given;
      slot.give_away(taken.word, use);
    };
    if (head_.get() != nullptr) {
      const ebr::Barrier barrier;
      const Tidy tidy{*this, barrier};
      for (Block* block = head_.get(); block != nullptr; block = block->next().get()) {
        for (std::uint32_t n = 0, end = block->used(); n < end; ++n) give((*block)[n]);
      }
    }
    for (std::uint32_t n = 0; n < kInline; ++n) give(inline_[n]);
    if (head_.get() != nullptr) use_up_newest(ebr::Barrier());
    return given;
  }

  // Linearizable, as pop() is. O(1) as long as there is a full slot in the newest block that has any; at most O(slots).
  bool is_empty() const {
    Round before;
    while (head_.get() == nullptr) {
      Round round{.pushes = 0};
      if (inline_.count(round.pushes) != 0) return false;
      if (round.confirms(before)) return true;
      SCREE_SYNC_POINT("bag:counted");
      before = round;
    }
    const ebr::Barrier barrier;
    for (;;) {
      Round round{.head = head_.get(), .pushes = 0};
      if (count(round, kWhether) != 0) return false;
      if (round.confirms(before)) return true;
      SCREE_SYNC_POINT("bag:counted");
      before = round;
    }
  }

  // The number of elements: exact if nobody changes it meanwhile. Otherwise it counts each of those that are there
  // throughout, none that is never there, and of the others some.
  // O(slots).
  std::size_t len() const {
    const ebr::Barrier barrier;
    Round round{.head = head_.get(), .pushes = 0};
    return count(round, kHowMany);
  }

  // How many blocks there are beyond what lies in the Bag; as len(). They take block_bytes() each. A block is freed
  // when its last element has been taken out, unless threads that take the last ones at once leave that to the next pop
  // there. So there are up to as many as elements beyond kInlineCapacity, where pops left one in each, and a few.
  std::size_t blocks() const {
    const ebr::Barrier barrier;
    std::size_t n = 0;
    for (const Block* block = head_.get(); block != nullptr; block = block->next().get()) ++n;
    return n;
  }
  static constexpr std::size_t block_bytes() noexcept { return sizeof(Block); }

  class Iterator;
  struct Range;
  // Every element, to be read or changed. Nobody else may use the bag while the range is in use.
  Range iter() noexcept { return Range{*this}; }

 private:
  // What a look at every slot found.
  struct Round {
    static constexpr std::uint64_t kNever = ~std::uint64_t{0};

    // Neither this one nor the one before found an element: there was an instant without any.
    bool confirms(const Round& before) const noexcept {
      return pushes == before.pushes && head == before.head && blocks == before.blocks;
    }

    Block* head = nullptr;
    std::size_t blocks = 0;
    std::uint64_t pushes = kNever;
  };
  enum Wanted { kHowMany, kWhether };

  // Frees, at the end of a call, the blocks down to number `last` that it left without use, and those right behind it.
  // Afterwards, so that nothing stands between the slot and the caller where an element is handed out that cannot be
  // moved twice; and whether or not anything was thrown.
  struct Tidy {
    ~Tidy() {
      if (found) bag.unlink_what_is_over(barrier, last);
    }
    Bag& bag;
    const ebr::Barrier& barrier;
    std::uint64_t last = 0;
    bool found = true;
  };

  // Where there are blocks, the inline slots were full: the newest block comes first.
  template <class... Args>
  [[gnu::noinline]] void emplace_anywhere(Args&&... args) {
    if (head_.get() == nullptr) {
      if (const Claim claim = inline_.claim(detail::bag_place())) {
        claim.slot->fill(claim.word, claim.word, std::forward<Args>(args)...);
        return;
      }
    }
    const ebr::Barrier barrier;
    std::unique_ptr<Block> fresh;
    for (;;) {
      Block* const head = head_.get();
      if (head != nullptr) {
        if (const Claim claim = head->claim()) {
          Tidy tidy{*this, barrier, head->ordinal()};
          claim.slot->fill(claim.word, detail::BagWord::skipped(), std::forward<Args>(args)...);
          tidy.found = false;
          return;
        }
      }
      if (const Claim claim = inline_.claim(detail::bag_place())) {
        claim.slot->fill(claim.word, claim.word, std::forward<Args>(args)...);
        return;
      }
      if (fresh == nullptr) fresh = std::make_unique<Block>();
      fresh->link_over(head);
      SCREE_SYNC_POINT("bag:linking");
      // Fails only if another thread got further.
      if (head_.link(head, fresh.get())) fresh.release();
    }
  }

  static std::optional<T> move_out(Claim taken) requires(
      std::is_trivially_copyable_v<T>&& std::is_copy_constructible_v<T>) {
    const T value = taken.slot->value();
    taken.slot->hand_out(taken.word, [](T&) {});
    return value;
  }
  // One variable, which is what is returned: nothing is moved any more when the slot has been let go of.
  static std::optional<T> move_out(Claim taken) {
    std::optional<T> popped;
    taken.slot->hand_out(taken.word, [&popped](T& value) { popped.emplace(std::move(value)); });
    return popped;
  }

  [[gnu::noinline]] std::optional<T> pop_anywhere() {
    Round before;
    while (head_.get() == nullptr) {
      Round round{.pushes = 0};
      if (const Claim taken = inline_.take(detail::bag_place(), round.pushes)) return move_out(taken);
      if (round.confirms(before)) return std::nullopt;
      SCREE_SYNC_POINT("bag:counted");
      before = round;
    }
    return pop_beyond();
  }
  // The newest block is emptied first, the inline slots last.
  std::optional<T> pop_beyond() {
    const ebr::Barrier barrier;
    for (Round before;;) {
      Round round{.head = head_.get(), .pushes = 0};
      Tidy tidy{*this, barrier, 0, false};
      for (Block* block = round.head; block != nullptr; block = block->next().get()) {
        ++round.blocks;
        tidy.last = block->ordinal();
        if (const Claim taken = block->take(round.pushes)) {
          const TidyAt at{tidy, *block};
          return move_out(taken);
        }
        tidy.found |= block->is_over();
      }
      if (const Claim taken = inline_.take(detail::bag_place(), round.pushes)) return move_out(taken);
      if (round.confirms(before)) {
        if (round.head != nullptr) use_up_newest(barrier);
        return std::nullopt;
      }
      SCREE_SYNC_POINT("bag:counted");
      before = round;
    }
  }
  // Whether there is something to free at the block of the element that was taken, or right behind it.
  struct TidyAt {
    ~TidyAt() {
      const Block* const next = block.next().get();
      tidy.found |= block.is_over() || (next != nullptr && next->is_over());
    }
    Tidy& tidy;
    const Block& block;
  };

  // When everything was taken out: what is left of the newest block is not used any more, so that it goes, too.
  void use_up_newest(const ebr::Barrier& barrier) noexcept {
    if (Block* const head = head_.get()) head->seal();
    unlink_what_is_over(barrier, 0);
  }

  // Unlinks the blocks in which nothing is and nothing will be, from the newest to number `last` and those right behind
  // it. (A block is marked before it is unlinked, so that the link in it stays what was copied from it: Harris, "A
  // Pragmatic Implementation of Non-Blocking Linked-Lists", 2001.)
  void unlink_what_is_over(const ebr::Barrier& barrier, std::uint64_t last) noexcept {
    Link* link = &head_;
    for (Block* block = link->get(); block != nullptr;) {
      if (!block->is_over()) {
        if (block->ordinal() < last) return;
        link = &block->next();
        block = link->get();
        continue;
      }
      Block* const next = block->next().mark();
      SCREE_SYNC_POINT("bag:unlinking");
      if (link->unlink(block, next)) {
        barrier.retire(block);
        block = next;
      } else {
        // There is another link to it now, or none.
        link = &head_;
        block = link->get();
      }
    }
  }

  // How many slots are full, or at least whether any is. Adds to `round`, which has its head, what it sees on the way.
  std::size_t count(Round& round, Wanted wanted) const noexcept {
    std::size_t full = 0;
    for (const Block* block = round.head; block != nullptr; block = block->next().get()) {
      ++round.blocks;
      full += block->count(round.pushes);
      if (wanted == kWhether && full != 0) return full;
    }
    SCREE_SYNC_POINT("bag:blocks_counted");
    return full + inline_.count(round.pushes);
  }

  Link head_;
  alignas(64) detail::BagInline<T, kInline> inline_;
};

// Forward; a pass over the slots.
template <class T, std::uint32_t kInline, std::uint32_t kBlock>
class Bag<T, kInline, kBlock>::Iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  Iterator() noexcept = default;  // the end
  explicit Iterator(Bag& bag) noexcept : slot_(&bag.inline_[0]), last_(slot_ + kInline), block_(bag.head_.get()) {
    find();
  }

  T& operator*() const noexcept { return slot_->value(); }
  T* operator->() const noexcept { return &slot_->value(); }
  Iterator& operator++() noexcept {
    ++slot_;
    find();
    return *this;
  }
  Iterator operator++(int) noexcept {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.slot_ == b.slot_; }

 private:
  void find() noexcept {
    for (;;) {
      for (; slot_ != last_; ++slot_) {
        if (slot_->word().is_full()) return;
      }
      if (block_ == nullptr) break;
      slot_ = &(*block_)[0];
      last_ = slot_ + kBlock;
      block_ = block_->next().get();
    }
    slot_ = last_ = nullptr;
  }

  Slot* slot_ = nullptr;
  Slot* last_ = nullptr;
  Block* block_ = nullptr;  // after this one
};

template <class T, std::uint32_t kInline, std::uint32_t kBlock>
struct Bag<T, kInline, kBlock>::Range {
  Iterator begin() const noexcept { return Iterator(bag); }
  Iterator end() const noexcept { return {}; }

  Bag& bag;
};

}  // namespace scree
