// SPDX-License-Identifier: Apache-2.0
//
// Queue: a lock-free first-in-first-out container. Entries lie in segments; a push takes the next place by
// fetch-and-add, fills it, and a pop takes the next place to be emptied. A pop that comes to a place that is taken and
// not filled gives it up, and its pusher goes to another one: so nobody waits for anybody. After P. Ramalhete and A.
// Correia, "FAAArrayQueue" (2016), with conditional operations and entries that outlive their segment.
//
//   Progress       push, emplace, pop, pop_if, peek, is_empty: lock-free, constant time without contention, plus the
//                  condition; push_if: obstruction-free, as two of them can make each other start again; iteration,
//                  len: wait-free for each entry
//   Linearizable   push, emplace, pop, push_if, pop_if, peek, is_empty. pop_all() is a sequence of pops
//   Iteration      in order, up to what was there when it began; visits each entry once that stays in the queue, and at
//                  most once those that are popped meanwhile
//   Entries        live as long as the handle that push() returned, the queue or the handle that pop() returned has
//                  them; what was borrowed under a barrier stays valid until it ends, also if the queue goes
//   Memory         segments of 8, 16, … 256 entries, none before the first push or push_if(). A handle keeps
//                  its segment
//   Exceptions     if a constructor of T, a condition or an allocation throws, no entry was pushed or popped
//   Values         can be moved: a push whose place is given up moves its value to another one
//
// Protocol: docs/protocols/queue.md. Its steps are numbered here and in detail/queue_segment.h.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/entry_handle.h>
#include <scree/detail/platform.h>
#include <scree/detail/queue_segment.h>
#include <scree/detail/sequence_results.h>
#include <scree/ebr.h>
#include <scree/sync_point.h>

namespace scree {

template <class T>
class Queue {
  using Slot = detail::QueueSlot<T>;
  using Segment = detail::QueueSegment<T>;

 public:
  using value_type = T;
  using Handle = detail::EntryHandle<Slot>;
  class Iterator;
  class Range;
  class Popped;

  using PushResult = detail::PushResult<T, Handle>;
  using PopOutcome = detail::PopOutcome;
  using PopResult = detail::PopResult<Handle>;

  Queue() noexcept = default;
  // No operation may be under way. Barriers may be held, by this thread, too.
  ~Queue() {
    const ebr::Barrier barrier;
    while (Slot* const slot = pop_slot(barrier)) Slot::second_lets_go(slot);
    if (Segment* const last = oldest_.load(memory_order_relaxed)) last->retire(barrier);
  }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Each returns a handle to the new entry. Throws what the constructor of T throws, or std::bad_alloc; `value` is left
  // alone then. If its place is given up it needs another one: then also throws what moving T throws, and if anything
  // throws the value is lost.
  Handle push(const T& value) requires std::is_copy_constructible_v<T> { return emplace(value); }
  Handle push(T&& value) { return emplace(std::move(value)); }
  template <class... Args>
  Handle emplace(Args&&... args) {
    const ebr::Barrier barrier;
    for (;;) {
      Segment& segment = newest_segment();
      const std::uint64_t place = segment.pushed.fetch_add(1, memory_order_relaxed);  // [P1]
      if (place < segment.capacity) [[likely]] {
        Slot& slot = segment.slot(place);
        construct(slot, std::forward<Args>(args)...);
        SCREE_SYNC_POINT("queue:push:constructed");
        if (slot.fill()) [[likely]] {
          return Handle::first(&slot);
        }
        return push_stray(slot);
      }
      append(segment);
    }
  }

  // Pushes if `condition(const T* newest)`, null for an empty queue, is true of the entry that `value` goes behind. The
  // condition may be asked again and again, while others change the queue. Also throws what the condition throws, and
  // what moving T throws.
  //
  // If anything throws `value` is as it was, unless T's move constructor throws and does not leave it so. (Where a
  // place is given up that it was moved to it is moved back; if T has no move assignment that is noexcept, it is lost
  // then.)
  template <class Condition>
  PushResult push_if(const T& value, Condition&& condition) requires std::is_copy_constructible_v<T> {
    return push_if(T(value), std::forward<Condition>(condition));
  }
  template <class Condition>
  PushResult push_if(T&& value, Condition&& condition) {
    const ebr::Barrier barrier;
    Stray stray(value);
    for (;;) {
      Segment& first = oldest_segment();
      Segment& segment = newest_segment();
      std::uint64_t place = segment.pushed.load(memory_order_relaxed);  // [C1]
      if (place >= segment.capacity) {
        append(segment);
        continue;
      }
      SCREE_SYNC_POINT("queue:push_if:counted");
      const Found newest = find_newest(first, segment, place);
      if (!condition(newest.value())) {
        // An empty queue was empty at one instant only if nobody has pushed since.
        if (newest.slot == nullptr && segment.pushed.load(memory_order_seq_cst) != place) continue;  // [C2]
        return {Handle(), std::optional<T>(std::move(stray.value()))};
      }
      SCREE_SYNC_POINT("queue:push_if:asked");
      if (!segment.pushed.compare_exchange_strong(place, place + 1, memory_order_seq_cst)) continue;  // [C3]
      Slot& slot = segment.slot(place);
      if (newest.is_popped()) {
        slot.give_up();
        continue;
      }
      construct(slot, std::move(stray.value()));
      SCREE_SYNC_POINT("queue:push:constructed");
      if (slot.fill()) return {Handle::first(&slot), std::nullopt};
      stray.moved_to(slot);
    }
  }

  // Null if the queue is empty.
  Handle pop() {
    const ebr::Barrier barrier;
    Slot* const slot = pop_slot(barrier);
    return slot == nullptr ? Handle() : Handle::second(slot);
  }

  // Pops the oldest entry if `condition(const T&)` is true of it. The condition may be asked again and again, of
  // whatever is the oldest entry by then. Throws what it throws.
  template <class Condition>
  PopResult pop_if(Condition&& condition) {
    const ebr::Barrier barrier;
    for (;;) {
      const Found oldest = find_oldest(barrier);
      if (oldest.slot == nullptr) return {Handle(), PopOutcome::kEmpty};
      if (!condition(*oldest.value())) return {Handle(), PopOutcome::kRefused};
      SCREE_SYNC_POINT("queue:pop_if:asked");
      std::uint64_t place = oldest.place;
      if (oldest.segment->popped.compare_exchange_strong(place, place + 1, memory_order_seq_cst)) {  // [O5]
        return {Handle::second(oldest.slot), PopOutcome::kPopped};
      }
    }
  }

  // Everything that is in the queue now, to be popped from the result. The queue must outlive that.
  Popped pop_all() { return Popped(*this); }

  // The oldest value, or null. Valid until the barrier ends.
  const T* peek(const ebr::Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept { return find_oldest(barrier).value(); }
  const T* peek(const ebr::Barrier&&) const = delete;

  // What `f(const T* oldest)` returns, null for an empty queue.
  template <class F>
  decltype(auto) peek_with(F&& f) const {
    const ebr::Barrier barrier;
    return std::forward<F>(f)(peek(barrier));
  }

  // The values, the oldest first: for (const T& value : queue.iter(barrier)). Valid until the barrier ends.
  Range iter([[maybe_unused]] const ebr::Barrier& barrier SCREE_LIFETIMEBOUND) const noexcept { return Range(*this); }
  Range iter(const ebr::Barrier&&) const = delete;

  // O(n). Counts what an iteration visits.
  std::size_t len() const {
    const ebr::Barrier barrier;
    return static_cast<std::size_t>(std::ranges::distance(iter(barrier)));
  }
  bool is_empty() const {
    const ebr::Barrier barrier;
    return peek(barrier) == nullptr;
  }

 private:
#if SCREE_MODEL || SCREE_SMALL_CAPACITIES
  static constexpr std::uint32_t kLeastCapacity = 2;
  static constexpr std::uint32_t kMostCapacity = 2;
#else
  static constexpr std::uint32_t kLeastCapacity = 8;
  static constexpr std::uint32_t kMostCapacity = 256;
#endif

  // An entry at one end.
  struct Found {
    const T* value() const noexcept { return slot == nullptr ? nullptr : &std::as_const(*slot).value(); }
    bool is_popped() const noexcept {
      return slot != nullptr && segment->popped.load(memory_order_seq_cst) > place;  // [C4]
    }

    Segment* segment = nullptr;
    std::uint64_t place = 0;
    Slot* slot = nullptr;  // null: the queue is empty
  };

  // A value on its way into the queue: the caller's, or in a place that was given up, where nobody else looks. From
  // there it goes back to the caller's in the end, if that cannot fail.
  class Stray {
   public:
    explicit Stray(T& value) noexcept : value_(std::addressof(value)), callers_(value_) {}
    explicit Stray(Slot& slot) noexcept : value_(std::addressof(slot.value())), slot_(&slot) {}
    ~Stray() {
      if constexpr (detail::kMovesBack<T>) {
        // If it was pushed or given to somebody, what is left of it.
        if (callers_ != nullptr && slot_ != nullptr) *callers_ = std::move(*value_);
      }
      leave();
    }
    Stray(const Stray&) = delete;
    Stray& operator=(const Stray&) = delete;

    T& value() noexcept { return *value_; }
    // `unlinked`: the slot's segment, where nobody has seen that.
    void moved_to(Slot& slot, Segment* unlinked = nullptr) noexcept {
      leave();
      slot_ = &slot;
      unlinked_ = unlinked;
      value_ = std::addressof(slot.value());
    }

   private:
    void leave() noexcept {
      if (slot_ != nullptr) slot_->destroy();
      if (unlinked_ != nullptr) Segment::free(unlinked_);
    }

    T* value_;
    T* const callers_ = nullptr;
    Slot* slot_ = nullptr;
    Segment* unlinked_ = nullptr;
  };

  // Who has taken a place and cannot fill it gives it up.
  template <class... Args>
  static void construct(Slot& slot, Args&&... args) {
    if constexpr (std::is_nothrow_constructible_v<T, Args...>) {
      slot.construct(std::forward<Args>(args)...);
    } else {
      try {
        slot.construct(std::forward<Args>(args)...);
      } catch (...) {
        slot.give_up();
        throw;
      }
    }
  }

  [[gnu::noinline]] Handle push_stray(Slot& given_up) {
    static_assert(std::is_move_constructible_v<T>, "a queue's values can be moved");
    Stray stray(given_up);
    for (;;) {
      Segment& segment = newest_segment();
      const std::uint64_t place = segment.pushed.fetch_add(1, memory_order_relaxed);  // [P2]
      if (place < segment.capacity) {
        Slot& slot = segment.slot(place);
        construct(slot, std::move(stray.value()));
        if (slot.fill()) return Handle::first(&slot);
        stray.moved_to(slot);
      } else if (Slot* const slot = append(segment, &stray)) {
        return Handle::first(slot);
      }
    }
  }

  Segment* oldest() const noexcept { return oldest_.load(memory_order_acquire); }  // [S1]
  Segment* newest() const noexcept { return newest_.load(memory_order_acquire); }  // [S3]
  static std::uint64_t popped_of(Segment& segment) noexcept {
    return segment.popped.load(memory_order_seq_cst);  // [O1]
  }
  static Segment* next_of(Segment& segment) noexcept { return segment.next.load(memory_order_seq_cst); }  // [S5]

  // The first to need one makes it.
  Segment& oldest_segment() {
    Segment* segment = oldest();
    if (segment != nullptr) [[likely]] {
      return *segment;
    }
    Segment* const fresh = Segment::make(kLeastCapacity, nullptr);
    if (oldest_.compare_exchange_strong(segment, fresh, memory_order_release, memory_order_acquire)) {  // [S2]
      return *fresh;
    }
    Segment::free(fresh);
    return *segment;
  }
  Segment& newest_segment() {
    Segment* segment = newest();
    if (segment != nullptr) [[likely]] {
      return *segment;
    }
    Segment& first = oldest_segment();
    if (newest_.compare_exchange_strong(segment, &first, memory_order_release, memory_order_acquire)) {  // [S4]
      return first;
    }
    return *segment;
  }

  // Afterwards `full` is not the newest segment. If this links a new one, the value of `stray`, if there is one, is in
  // its first place by then, which is returned: so a push whose places are given up again and again ends there at the
  // latest. Else returns null.
  [[gnu::noinline]] Slot* append(Segment& full, Stray* stray = nullptr) {
    SCREE_SYNC_POINT("queue:append:full");
    Segment* next = next_of(full);
    Slot* pushed = nullptr;
    if (next == nullptr) {
      std::unique_ptr<Segment, void (*)(Segment*)> fresh(
          Segment::make(std::min(2 * full.capacity, kMostCapacity), &full), &Segment::free);
      if (stray != nullptr) {
        pushed = &fresh->slot(0);
        pushed->construct(std::move(stray->value()));
        pushed->fill();
        fresh->pushed.store(1, memory_order_relaxed);
      }
      if (full.next.compare_exchange_strong(next, fresh.get(), memory_order_seq_cst)) {  // [S6]
        next = fresh.release();
        SCREE_SYNC_POINT("queue:append:linked");
      } else if (stray != nullptr) {
        stray->moved_to(*std::exchange(pushed, nullptr), fresh.release());
      }
    }
    go_on(full, *next);
    return pushed;
  }
  void go_on(Segment& full, Segment& next) const noexcept {
    Segment* before = &full;
    newest_.compare_exchange_strong(before, &next, memory_order_release, memory_order_relaxed);  // [S7]
  }

  // All places of `segment`, the oldest, are popped. False if there is no other.
  [[gnu::noinline]] bool leave(Segment& segment, const ebr::Barrier& barrier) const noexcept {
    Segment* const next = next_of(segment);
    if (next == nullptr) return false;
    // Nobody may come to it from there any more.
    if (newest() == &segment) go_on(segment, *next);
    Segment* before = &segment;
    if (oldest_.compare_exchange_strong(before, next, memory_order_release, memory_order_relaxed)) {  // [S8]
      segment.retire(barrier);
    }
    return true;
  }

  // No pusher has taken the place yet. Pushers' counter is another core's: it is looked at only where the slot is
  // empty.
  static bool is_untaken(Segment& segment, std::uint64_t place) noexcept {
    if (segment.slot(place).state() != Slot::kEmpty) return false;
    // Who asks again and again takes the line away from the pusher each time: a moment later it is often filled.
    detail::pause();
    return segment.slot(place).state() == Slot::kEmpty && segment.pushed.load(memory_order_seq_cst) <= place;  // [O2]
  }

  // Takes the oldest entry; null if there is none.
  Slot* pop_slot(const ebr::Barrier& barrier) noexcept {
    for (;;) {
      Segment* const segment = oldest();
      if (segment == nullptr) return nullptr;
      std::uint64_t place = popped_of(*segment);
      if (place < segment->capacity) {
        if (is_untaken(*segment, place)) return nullptr;
        SCREE_SYNC_POINT("queue:pop:seen");
        place = segment->popped.fetch_add(1, memory_order_seq_cst);  // [O3]
      }
      if (place < segment->capacity) {
        SCREE_SYNC_POINT("queue:pop:taken");
        Slot& slot = segment->slot(place);
        __builtin_prefetch(&slot, 1);  // it is written when the handle goes: fetched once, not for reading first
        if (slot.is_filled()) return &slot;
      } else if (!leave(*segment, barrier)) {
        return nullptr;
      }
    }
  }

  Found find_oldest(const ebr::Barrier& barrier) const noexcept {
    for (;;) {
      Segment* const segment = oldest();
      if (segment == nullptr) return {};
      std::uint64_t place = popped_of(*segment);
      if (place >= segment->capacity) {
        if (!leave(*segment, barrier)) return {};
        continue;
      }
      Slot& slot = segment->slot(place);
      if (is_untaken(*segment, place)) return {};
      if (slot.is_filled()) return {segment, place, &slot};
      segment->popped.compare_exchange_strong(place, place + 1, memory_order_relaxed);  // [O4]
    }
  }

  // Of the places of the whole queue, the first that is not taken by a pusher.
  std::uint64_t end_of_pushed() const noexcept {
    const Segment* segment = newest();
    if (segment == nullptr) return 0;
    for (const Segment* next = segment; next != nullptr; next = segment->next.load(memory_order_acquire))
      segment = next;
    return segment->first + std::min<std::uint64_t>(segment->capacity, segment->pushed.load(memory_order_acquire));
  }

  // The newest entry that was pushed below `place` of `segment`, where every place that is not filled is given up. None
  // if it is popped. `first` was the oldest segment when `segment` was the newest, or before.
  Found find_newest(Segment& first, Segment& segment, std::uint64_t place) const noexcept {
    for (Segment* of = &segment;; of = of->previous) {
      const std::uint64_t below = of == &segment ? place : of->capacity;
      for (std::uint64_t n = below; n-- > 0;) {
        if (Slot& slot = of->slot(n); slot.is_filled()) {
          const Found found{of, n, &slot};
          return found.is_popped() ? Found() : found;
        }
      }
      if (of == &first) return {};
    }
  }

  // Helping changes them, also where nothing is pushed or popped.
  alignas(64) mutable Atomic<Segment*> oldest_{nullptr};
  mutable Atomic<Segment*> newest_{nullptr};
};

template <class T>
class Queue<T>::Iterator {
 public:
  // One pass: the next one visits what has been filled in between, too.
  using iterator_category = std::input_iterator_tag;
  using value_type = T;
  using difference_type = std::ptrdiff_t;
  using pointer = const T*;
  using reference = const T&;

  Iterator() noexcept = default;
  reference operator*() const noexcept { return std::as_const(segment_->slot(place_)).value(); }
  const T* operator->() const noexcept { return &**this; }
  Iterator& operator++() noexcept {
    ++place_;
    skip();
    return *this;
  }
  Iterator operator++(int) noexcept {
    Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
    return a.segment_ == b.segment_ && a.place_ == b.place_;
  }
  friend bool operator==(const Iterator& it, std::default_sentinel_t) noexcept { return it.segment_ == nullptr; }

 private:
  friend class Range;
  Iterator(Segment* segment, std::uint64_t place, std::uint64_t end) noexcept
      : segment_(segment), place_(place), end_(end) {
    skip();
  }

  // To the next entry that is there, or the end.
  void skip() noexcept {
    while (segment_ != nullptr && segment_->first + place_ < end_) {
      if (place_ >= segment_->capacity) {
        segment_ = segment_->next.load(memory_order_acquire);
        place_ = 0;
      } else if (segment_->slot(place_).state() == Slot::kFilled) {
        return;
      } else {
        ++place_;
      }
    }
    *this = Iterator();
  }

  Segment* segment_ = nullptr;
  std::uint64_t place_ = 0;
  std::uint64_t end_ = 0;  // of the whole queue's places
};

// What is in the queue while it is walked through, up to what was pushed last when it was made. Valid until its barrier
// ends.
template <class T>
class Queue<T>::Range {
 public:
  Iterator begin() const noexcept { return Iterator(segment_, place_, end_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend class Queue;
  explicit Range(const Queue& queue) noexcept : segment_(queue.oldest()) {
    if (segment_ == nullptr) return;
    // Poppers who come to the end at the same time count beyond it; the next segment begins there.
    place_ = std::min<std::uint64_t>(segment_->capacity, segment_->popped.load(memory_order_acquire));
    end_ = queue.end_of_pushed();
  }

  Segment* segment_;
  std::uint64_t place_ = 0;
  std::uint64_t end_ = 0;
};

// Pops what was in the queue when it was made, oldest first, segment by segment; others may pop some of it in between.
// What is not popped from here by its end is popped then, and let go of.
template <class T>
class Queue<T>::Popped {
 public:
  Popped(Popped&& other) noexcept
      : queue_(other.queue_),
        end_(std::exchange(other.end_, 0)),
        segment_(other.segment_),
        place_(other.place_),
        until_(std::exchange(other.until_, 0)) {}
  Popped& operator=(Popped&&) = delete;
  ~Popped() {
    while (pop()) {
    }
  }

  // The next entry; null if there is none.
  Handle pop() {
    while (place_ < until_ || take_more()) {
      Slot& slot = segment_->slot(place_++);
      if (slot.state() == Slot::kFilled) return Handle::second(&slot);
    }
    return Handle();
  }

 private:
  friend class Queue;
  explicit Popped(Queue& queue) : queue_(queue) {
    const ebr::Barrier barrier;
    end_ = queue.end_of_pushed();
  }

  // Takes all places that are left of the oldest segment, and were pushed. Those that are filled keep it alive: the
  // last of them comes last. False if there are none.
  bool take_more() {
    if (end_ == 0) return false;  // also if it is moved from: then the queue may be gone
    const ebr::Barrier barrier;
    for (;;) {
      const Found oldest = queue_.find_oldest(barrier);
      if (oldest.slot == nullptr || oldest.segment->first + oldest.place >= end_) return false;
      Segment& segment = *oldest.segment;
      const std::uint64_t pushed = segment.pushed.load(memory_order_relaxed);
      const std::uint64_t until = std::min<std::uint64_t>({segment.capacity, pushed, end_ - segment.first});
      std::uint64_t place = oldest.place;
      if (!segment.popped.compare_exchange_strong(place, until, memory_order_seq_cst)) continue;  // [O6]
      segment_ = &segment;
      place_ = place;
      until_ = place;
      for (std::uint64_t n = place; n < until; ++n) {
        if (segment.slot(n).is_filled()) until_ = n + 1;
      }
      return true;
    }
  }

  Queue& queue_;
  std::uint64_t end_ = 0;
  Segment* segment_ = nullptr;
  std::uint64_t place_ = 0;
  std::uint64_t until_ = 0;
};

}  // namespace scree
