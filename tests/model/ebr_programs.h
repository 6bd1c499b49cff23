// SPDX-License-Identifier: Apache-2.0
//
// Small programs over reclamation for the explorer. Each uses the shipped templates; ebr_model_test.cc expects them to
// be right, ebr_planted_test.cc to fail in one way each when a step of the protocol is broken.

#pragma once

#include <utility>

#include <scree/ebr.h>

#include "model/explorer.h"

namespace scree::model {

// What is read, retired and freed. The explorer reports an access to a destroyed one, or one that does not happen
// before its destruction.
class Item {
 public:
  explicit Item(int value, Atomic<int>* destroyed = nullptr) : value_(value), destroyed_(destroyed) {}
  ~Item() {
    if (destroyed_ != nullptr) destroyed_->fetch_add(1, memory_order_relaxed);
  }
  int value() const { return value_; }
  void set(int value) { value_ = value; }

 private:
  Plain<int> value_;
  Atomic<int>* const destroyed_;
};

using ebr::Arc;
using ebr::AtomicArc;
using ebr::AtomicOwned;
using ebr::Barrier;
using ebr::Owned;
using ebr::Tag;

// For the end of a program: no barrier is held, so everything can be freed.
inline void expect_all_is_freed() {
  bool waiting = true;
  for (int n = 0; waiting && n < 8; ++n) waiting = ebr::collect();
  check(!waiting, "everything that was retired is freed in the end");
}
// Also what `root` still owns.
template <class AtomicOwner>
void expect_all_is_freed(AtomicOwner& root) {
  root.store({});
  expect_all_is_freed();
}

// Threads that have used the domain before: a program of three would otherwise be mostly about their records. They do
// not advance on their own account for a while.
class Registered {
 public:
  Registered() {
    for (auto*& record : records_) record = &ebr::detail::domain().acquire_record(ebr::detail::light_fence_is_fenced());
    begin(0);
    {
      const Barrier barrier;
      for (std::uint32_t n = 0; n < ebr::detail::kBagCapacity; ++n) barrier.retire(new Item(0));
    }
    while (ebr::collect()) {
    }
  }
  void begin(int thread) { ebr::detail::this_record() = records_[thread]; }

 private:
  ebr::detail::Record* records_[3];
};

struct OneOwned {
  AtomicOwned<Item> root = AtomicOwned<Item>::make(1);
};

inline void read(const AtomicOwned<Item>& root) {
  const Barrier barrier;
  if (const auto item = root.load(memory_order_acquire, barrier)) check(item->value() == 1, "what is read is intact");
}
// The thread has its record before the unlink: else whoever found the record in the list would have seen the unlink.
inline void unlink(AtomicOwned<Item>& root) {
  const Barrier barrier;
  root.store({});
}

// Barrier enter and exit against retire, seal, advance and free, by one thread. `reader(OneOwned&)` is the other one.
template <class Reader>
void beside_a_collector(Program& p, Reader reader) {
  auto& s = p.make<OneOwned>();
  p.thread([&s, reader] { reader(s); });
  p.thread([&s] {
    unlink(s.root);
    ebr::collect();
  });
  p.at_end([] { expect_all_is_freed(); });
}
inline void read_beside_a_collector(Program& p) {
  beside_a_collector(p, [](OneOwned& s) { read(s.root); });
}
// A scan may see the announcement of a later section than the one that used what it frees.
inline void read_twice_beside_a_collector(Program& p) {
  beside_a_collector(p, [](OneOwned& s) {
    read(s.root);
    const Barrier another;
  });
}
// A nested barrier's end is not the outer one's.
inline void read_in_nested_barriers(Program& p) {
  beside_a_collector(p, [](OneOwned& s) {
    const Barrier outer;
    const auto item = s.root.load(memory_order_acquire, outer);
    read(s.root);
    if (item) check(item->value() == 1, "what is read is intact");
  });
}

struct OneOwnedAndRegistered : OneOwned, Registered {};

// Fills a bag, which seals it, in the barrier in which the unlink is: no fence lies between the two.
inline void unlink_and_seal(OneOwnedAndRegistered& s) {
  const Barrier barrier;
  s.root.store({});
  barrier.retire(new Item(2));
}

// A reader, a thread that does `sealer(OneOwnedAndRegistered&)`, and a collector.
template <class Sealer>
void read_beside_a_collector_and(Program& p, Sealer sealer) {
  auto& s = p.make<OneOwnedAndRegistered>();
  p.thread([&s] {
    s.begin(0);
    read(s.root);
  });
  p.thread([&s, sealer] {
    s.begin(1);
    sealer(s);
  });
  p.thread([&s] {
    s.begin(2);
    ebr::collect();
  });
  p.at_end([] { expect_all_is_freed(); });
}
// One thread seals, another ends the grace period, takes the bag and frees it.
inline void read_beside_a_sealer_and_a_collector(Program& p) {
  read_beside_a_collector_and(p, [](OneOwnedAndRegistered& s) { unlink_and_seal(s); });
}
// One thread seals, another ends the grace period while the first is in a later barrier, the first frees.
inline void free_what_another_ended(Program& p) {
  read_beside_a_collector_and(p, [](OneOwnedAndRegistered& s) {
    unlink_and_seal(s);
    const Barrier barrier;
    for (std::uint32_t n = 0; n < ebr::detail::kBagCapacity; ++n) barrier.retire(new Item(3));
  });
}

struct TwoDestroyed {
  Atomic<int> destroyed{0};
};

inline void retire_one(TwoDestroyed& s) {
  const Barrier barrier;
  barrier.retire(new Item(1, &s.destroyed));
}
inline void expect_two_were_destroyed(TwoDestroyed& s) {
  expect_all_is_freed();
  check(s.destroyed.load(memory_order_relaxed) == 2, "each is freed once");
}

// The owner of garbage comes back while a collector claims and takes it; then the collector adopts what it retired
// aside.
inline void wake_up_beside_a_collector(Program& p) {
  auto& s = p.make<TwoDestroyed>();
  p.thread([&s] {
    retire_one(s);
    retire_one(s);
  });
  p.thread([] {
    ebr::collect();
    ebr::collect();
  });
  p.at_end([&s] { expect_two_were_destroyed(s); });
}

// What a thread leaves at its exit is freed by others, and its record serves the next thread.
inline void exit_beside_a_thread_that_begins(Program& p) {
  auto& s = p.make<TwoDestroyed>();
  p.thread([&s] { retire_one(s); });
  p.thread([&s] {
    retire_one(s);
    ebr::collect();
  });
  p.at_end([&s] { expect_two_were_destroyed(s); });
}

// Two collectors want what one owner has left.
struct TwoDestroyedAndRegistered : TwoDestroyed, Registered {};
inline void collect_beside_another(Program& p) {
  auto& s = p.make<TwoDestroyedAndRegistered>();
  p.thread([&s] {
    s.begin(0);
    retire_one(s);
    retire_one(s);
  });
  for (const int collector : {1, 2}) {
    p.thread([&s, collector] {
      s.begin(collector);
      ebr::collect();
    });
  }
  p.at_end([&s] { expect_two_were_destroyed(s); });
}

inline void suspend_beside_a_collector(Program& p) {
  auto& s = p.make<TwoDestroyed>();
  p.thread([&s] {
    retire_one(s);
    ebr::suspend();
    retire_one(s);
  });
  p.thread([] { ebr::collect(); });
  p.at_end([&s] { expect_two_were_destroyed(s); });
}

// A deferred function runs when those who held barriers have left.
inline void defer_beside_a_reader(Program& p) {
  auto& s = p.make<OneOwned>();
  p.thread([&s] { read(s.root); });
  p.thread([&s] {
    {
      const Barrier barrier;
      const Owned<Item> unlinked = s.root.try_into_owned(memory_order_acquire);
      const auto item = unlinked.ptr(barrier);
      barrier.defer_execute([value = item->value()] { check(value == 1, "a function keeps what it captured"); });
    }
    ebr::collect();
  });
  p.at_end([] { expect_all_is_freed(); });
}

// The second piece frees what the first one unlinked: between the two lies a grace period.
struct Pieces {
  Atomic<Item*> root{new Item(1)};
  Atomic<int> runs{0};
  Plain<Item*> unlinked = nullptr;
};
inline void defer_in_pieces_beside_a_reader(Program& p) {
  auto& s = p.make<Pieces>();
  p.thread([&s] {
    const Barrier barrier;
    if (const Item* item = s.root.load(memory_order_acquire)) check(item->value() == 1, "what is read is intact");
  });
  p.thread([&s] {
    {
      const Barrier barrier;
      barrier.defer_incremental_execute([&s] {
        if (s.runs.fetch_add(1, memory_order_relaxed) == 0) {
          s.unlinked = s.root.exchange(nullptr, memory_order_acq_rel);
          return false;
        }
        delete s.unlinked;
        return true;
      });
    }
    ebr::collect();
    ebr::collect();
  });
  p.at_end([&s] {
    expect_all_is_freed();
    check(s.runs.load(memory_order_relaxed) == 2, "it runs until it returns true");
  });
}

struct OneArc {
  AtomicArc<Item> root = AtomicArc<Item>::make(1);
};

// An owner made from a borrowed pointer outlives the barrier, or is null. `replace(AtomicArc&)` is what goes on beside.
template <class Replace>
void own_beside(Program& p, Replace replace) {
  auto& s = p.make<OneArc>();
  p.thread([&s] {
    Arc<Item> owner;
    {
      const Barrier barrier;
      owner = s.root.get_arc(memory_order_acquire, barrier);
    }
    if (owner) check(owner->value() == 1, "what is owned is intact");
  });
  p.thread([&s, replace] {
    replace(s.root);
    ebr::collect();
  });
  p.at_end([&s] { expect_all_is_freed(s.root); });
}
inline void own_what_is_let_go(Program& p) {
  own_beside(p, [](AtomicArc<Item>& root) { root.swap({}, Tag::kNone, memory_order_acq_rel); });
}
inline void own_what_is_stored_over(Program& p) {
  own_beside(p, [](AtomicArc<Item>& root) { root.store(Arc<Item>::make(1)); });
}

struct TwoOwners {
  Arc<Item> first = Arc<Item>::make(1);
  Arc<Item> second = first.clone();
  Plain<bool> was_last[2] = {false, false};
};
// What one thread made and stored, another stores over, and a third frees.
struct EmptyRoot : Registered {
  AtomicOwned<Item> root;
};
inline void store_over_what_another_made(Program& p) {
  auto& s = p.make<EmptyRoot>();
  p.thread([&s] {
    s.begin(0);
    s.root.store(Owned<Item>::make(1));
  });
  p.thread([&s] {
    s.begin(1);
    const Barrier barrier;
    s.root.store({});
    barrier.retire(new Item(2));  // the bag is full: sealed
  });
  p.thread([&s] {
    s.begin(2);
    ebr::collect();
  });
  p.at_end([&s] { expect_all_is_freed(s.root); });
}

// What a retirement frees ends the barrier that it is called under, while a collector wants the lists.
class EndsBarrier : public Registered {
 public:
  EndsBarrier() {
    begin(0);
    {
      const Barrier barrier;
      barrier.retire(this, &count, 1);
      barrier.retire(this, &end, 1);  // the bag is full: sealed
    }
    session_ = new Barrier;
    begin(1);
    ebr::collect();  // ends the grace period of that bag, which it cannot take
    begin(0);
    session_->retire(this, &count, 1);
    session_->retire(this, &count, 1);  // seals, sees that the oldest bag is ready, and frees its first
  }
  void retire_one_more() {
    Barrier* const session = session_;
    session->retire(this, &count, 1);
  }
  int freed() const { return freed_.load(memory_order_relaxed); }

 private:
  static void count(void* self) { static_cast<EndsBarrier*>(self)->freed_.fetch_add(1, memory_order_relaxed); }
  static void end(void* self) {
    count(self);
    delete static_cast<Barrier*>(static_cast<EndsBarrier*>(self)->session_);
  }

  Plain<Barrier*> session_ = nullptr;
  Atomic<int> freed_{0};
};
inline void end_the_barrier_while_freeing(Program& p) {
  auto& s = p.make<EndsBarrier>();
  p.thread([&s] {
    s.begin(0);
    s.retire_one_more();
  });
  p.thread([&s] {
    s.begin(1);
    ebr::collect();
  });
  p.at_end([&s] {
    s.begin(2);
    expect_all_is_freed();
    check(s.freed() == 5, "each is freed once");
  });
}

// Of two owners that go, one is the last.
inline void release_both_owners(Program& p) {
  auto& s = p.make<TwoOwners>();
  p.thread([&s] {
    const Barrier barrier;
    check(s.first->value() == 1, "what is owned is intact");
    s.was_last[0] = s.first.release(barrier);
    ebr::collect();
  });
  p.thread([&s] {
    const Barrier barrier;
    check(s.second->value() == 1, "what is owned is intact");
    s.was_last[1] = s.second.release(barrier);
    ebr::collect();
  });
  p.at_end([&s] {
    check(s.was_last[0] != s.was_last[1], "one owner was the last");
    expect_all_is_freed();
  });
}
// The only owner left may change the instance, or drop it in place.
inline void change_what_another_owner_let_go(Program& p) {
  auto& s = p.make<TwoOwners>();
  p.thread([&s] {
    check(s.first->value() == 1, "what is owned is intact");
    s.first = {};
  });
  p.thread([&s] {
    if (Item* item = s.second.get_mut()) item->set(2);
    s.second.release_drop_in_place();
  });
  p.at_end([] { expect_all_is_freed(); });
}
inline void clone_while_another_owner_goes(Program& p) {
  auto& s = p.make<TwoOwners>();
  p.thread([&s] { s.first = {}; });
  p.thread([&s] {
    Arc<Item> third = s.second.clone();
    s.second = {};
    check(third->value() == 1, "what is owned is intact");
    third = {};
    ebr::collect();
  });
  p.at_end([] { expect_all_is_freed(); });
}

// Compare-exchange with tags: one of two wins, and the loser gets its owner back.
struct Race {
  AtomicArc<Item> root = AtomicArc<Item>::make(1);
  Plain<bool> won[2] = {false, false};
};
inline void compete(Race& s, int who) {
  const Barrier barrier;
  const auto seen = s.root.load(memory_order_acquire, barrier);
  auto result = s.root.compare_exchange(seen.with_tag(Tag::kNone), Arc<Item>::make(10 + who), Tag::kFirst,
                                        memory_order_acq_rel, memory_order_acquire, barrier);
  s.won[who] = result.exchanged;
  check(result.owner->value() == (result.exchanged ? 1 : 10 + who), "the previous owner, or the desired one back");
  check(result.current.tag() == Tag::kFirst, "the winner's tag");
  check(result.current->value() >= 10, "the winner's instance");
}
inline void exchange_beside_another(Program& p) {
  auto& s = p.make<Race>();
  p.thread([&s] { compete(s, 0); });
  p.thread([&s] { compete(s, 1); });
  p.at_end([&s] {
    check(s.won[0] != s.won[1], "one wins");
    expect_all_is_freed(s.root);
  });
}

// A tag is set on what is there while the condition reads it.
inline void tag_what_is_swapped(Program& p) {
  auto& s = p.make<OneArc>();
  p.thread([&s] {
    s.root.update_tag_if(
        Tag::kBoth, [](auto item) { return item && item->value() == 1; }, memory_order_acq_rel, memory_order_acquire);
  });
  p.thread([&s] {
    auto [old, tag] = s.root.swap(Arc<Item>::make(2), Tag::kNone, memory_order_acq_rel);
    check(old->value() == 1, "what was there");
    old = {};
    ebr::collect();
    check(s.root.tag() == Tag::kNone, "the condition does not hold for the new one");
  });
  p.at_end([&s] { expect_all_is_freed(s.root); });
}

}  // namespace scree::model
