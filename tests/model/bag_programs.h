// SPDX-License-Identifier: Apache-2.0
//
// Small programs over Bag for the explorer, whose bags have two inline slots and blocks of two. bag_model_test.cc
// expects them to be right, bag_planted_test.cc to fail in one way each when a step of the protocol is broken.

#pragma once

#include <cstddef>
#include <optional>

#include <scree/bag.h>
#include <scree/ebr.h>

#include "model/ebr_programs.h"
#include "model/explorer.h"

namespace scree::model {

// Where elements are constructed and destroyed within one object: an access that races with one at the same place
// before or after is reported.
struct Places {
  std::uintptr_t begin = 0, end = 0;
  Plain<int> changed[64];

  void change(const void* at) {
    const auto address = reinterpret_cast<std::uintptr_t>(at);
    if (address >= begin && address < end) ++changed[(address - begin) / 16 % 64];
  }
};
inline Places& places() { return per_execution<Places>(); }

// What is pushed: an access that does not happen after its construction and before its destruction is reported.
class Element {
 public:
  struct Throws {};

  explicit Element(int value) : value_(value) { places().change(this); }
  explicit Element(Throws thrown) : Element(0) { throw thrown; }
  Element(const Element& other) : value_(other.value_) { places().change(this); }
  Element& operator=(const Element&) = delete;
  ~Element() { places().change(this); }
  int value() const { return value_; }

 private:
  Plain<int> value_;
};

// A bag, and which of the values 1..10 was popped how often.
template <std::uint32_t kInline>
class SceneOf : public Registered {
 public:
  SceneOf() {
    places().begin = reinterpret_cast<std::uintptr_t>(&bag);
    places().end = places().begin + sizeof(bag);
  }

  void push(int value) { bag.push(Element(value)); }
  // What was popped; 0 if there was nothing.
  int pop() {
    const std::optional<Element> popped = bag.pop();
    if (popped) note(popped->value());
    return popped ? popped->value() : 0;
  }
  void pop_all() {
    bag.pop_all([this](Element&& e) { note(e.value()); });
  }
  void note(int value) {
    const bool pushed = value >= 1 && value <= kValues;
    check(pushed, "what is popped was pushed");
    if (pushed) check(popped_[value - 1].fetch_add(1, memory_order_relaxed) == 0, "popped once");
  }
  // Where the calling thread looks for a slot first.
  static void look_at(std::uint32_t place) { scree::detail::bag_place() = place; }

  // For the end: empties the bag, and expects that 1..n were popped, once each, and that nothing is left to free.
  void expect_all_were_popped(int n) {
    while (pop() != 0) {
    }
    check(bag.is_empty() && bag.len() == 0, "empty in the end");
    check(bag.blocks() == 0, "memory is given back");
    for (int i = 0; i < n; ++i) check(popped_[i].load(memory_order_relaxed) == 1, "nothing is lost");
    for (int i = n; i < kValues; ++i) check(popped_[i].load(memory_order_relaxed) == 0, "nothing is invented");
    expect_all_is_freed();
  }

  Bag<Element, kInline> bag;

 private:
  static constexpr int kValues = 10;
  Atomic<int> popped_[kValues];
};
using Scene = SceneOf<2>;

// One of two elements is pushed while the other is popped: the bag is never empty.
struct Filled : Scene {
  Filled() { push(1); }
};
// The same with nothing inline but the first element in a block, in its first or its second slot.
struct InABlock : Scene {
  explicit InABlock(bool second) {
    push(2), push(3), push(second ? 4 : 1);
    if (second) push(1);
    look_at(0);
    pop(), look_at(1), pop();
    look_at(0);
    if (second) check(pop() == 4, "4 was first in the block");
  }
};

template <class S, class... Arguments>
void between_two(Program& p, int values, void (*first)(S&), void (*second)(S&), Arguments... arguments) {
  auto& s = p.make<S>(arguments...);
  p.thread([&s, first] {
    s.begin(0);
    first(s);
  });
  p.thread([&s, second] {
    s.begin(1);
    second(s);
  });
  p.at_end([&s, values] {
    s.begin(2);
    s.expect_all_were_popped(values);
  });
}

inline void pop_beside_a_push(Program& p) {
  between_two<Scene>(
      p, 1, [](Scene& s) { s.push(1); }, [](Scene& s) { s.pop(); });
}
inline void pop_beside_a_pop(Program& p) {
  between_two<Filled>(
      p, 1, [](Filled& s) { s.pop(); }, [](Filled& s) { s.pop(); });
}
inline void push_beside_a_push(Program& p) {
  between_two<Scene>(
      p, 2, [](Scene& s) { s.push(1); }, [](Scene& s) { s.push(2); });
}
// One slot is used again and again, by both.
inline void pairs_beside_pairs(Program& p) {
  between_two<Scene>(
      p, 3,
      [](Scene& s) {
        s.push(1);
        check(s.pop() != 0, "this thread's or the other's");
        s.push(2);
      },
      [](Scene& s) {
        s.push(3);
        check(s.pop() != 0, "this thread's or the other's");
      });
}
// The slot that a failed push leaves is used by another.
inline void push_that_throws_beside_a_push(Program& p) {
  between_two<Scene>(
      p, 1,
      [](Scene& s) {
        try {
          s.bag.emplace(Element::Throws());
        } catch (const Element::Throws&) {
        }
      },
      [](Scene& s) { s.push(1); });
}

// The element that was there is popped when another one is there, at a place that was looked at before.
template <class S>
void push_elsewhere_and_pop(S& s) {
  s.look_at(1);
  s.push(7);
  s.look_at(0);
  check(s.pop() != 0, "there are two");
}
template <class S>
void pop_what_is_never_empty(S& s) {
  check(s.pop() != 0, "it was never empty");
}
template <class S>
void find_what_is_never_empty(S& s) {
  check(!s.bag.is_empty(), "it was never empty");
}
// Values 1 and 7; whoever pops takes one of them.
template <class S, class... Arguments>
void never_empty(Program& p, void (*change)(S&), void (*look)(S&), Arguments... arguments) {
  auto& s = p.make<S>(arguments...);
  p.thread([&s, change] {
    s.begin(0);
    change(s);
  });
  p.thread([&s, look] {
    s.begin(1);
    look(s);
  });
  p.at_end([&s] {
    s.begin(2);
    while (s.pop() != 0) {
    }
    expect_all_is_freed();
  });
}
inline void look_into_a_bag_that_is_never_empty(Program& p) {
  never_empty<Filled>(p, push_elsewhere_and_pop, find_what_is_never_empty);
}
inline void look_into_blocks_that_are_never_empty(Program& p) {
  never_empty<InABlock>(p, push_elsewhere_and_pop, find_what_is_never_empty, false);
}
inline void look_into_blocks_that_get_over(Program& p) {
  never_empty<InABlock>(p, push_elsewhere_and_pop, find_what_is_never_empty, true);
}

// The element is pushed where the other has looked before, and the one where it has not is popped. Both want one, or
// one of them asks whether there is one: there is.
struct FilledInTheMiddle : SceneOf<4> {
  FilledInTheMiddle() { look_at(1), push(1); }
};
inline void push_below_and_pop(FilledInTheMiddle& s, std::uint32_t place) {
  s.look_at(place), s.push(7);
  s.look_at(1);
  check(s.pop() != 0, "there are two");
}
inline void look_while_it_is_filled_below(Program& p) {
  never_empty<FilledInTheMiddle>(
      p, [](FilledInTheMiddle& s) { push_below_and_pop(s, 0); }, find_what_is_never_empty<FilledInTheMiddle>);
}
// A pop begins below its place.
inline void pop_while_it_is_filled_below(Program& p) {
  never_empty<FilledInTheMiddle>(
      p, [](FilledInTheMiddle& s) { push_below_and_pop(s, 3); },
      [](FilledInTheMiddle& s) {
        s.look_at(0);
        check(s.pop() != 0, "there are two for two");
      });
}
// The inline slots are looked at last: the element there is popped, and there is another one in a block.
struct FilledBeforeABlock : Scene {
  FilledBeforeABlock() {
    push(2), push(3), push(4);
    look_at(0), pop(), look_at(1), pop(), look_at(0);
    check(pop() == 4, "4 was in a block");
    look_at(0), push(1);
  }
};
inline void push_into_a_block_and_pop(FilledBeforeABlock& s) {
  s.look_at(0), s.push(7);
  check(s.pop() != 0, "there are two");
}
inline void look_while_a_block_is_filled(Program& p) {
  never_empty<FilledBeforeABlock>(p, push_into_a_block_and_pop, find_what_is_never_empty<FilledBeforeABlock>);
}
inline void pop_while_a_block_is_filled(Program& p) {
  never_empty<FilledBeforeABlock>(p, push_into_a_block_and_pop, [](FilledBeforeABlock& s) {
    s.look_at(1);
    check(s.pop() != 0, "there are two for two");
  });
}

// An element is pushed inline before the only one in a block is popped, and stays. Another thread passes by the block,
// and says that it, or what was in it, is over; its pop takes what was pushed inline after that.
struct Behind : SceneOf<4> {
  explicit Behind(bool last) {
    push(2), push(3), push(4), push(5);
    push(last ? 8 : 1);
    if (last) push(1);
    for (const int place : {0, 1, 2, 3}) look_at(place), pop();
    look_at(0);
    if (last) check(pop() == 8, "8 was first in the block");
  }
  Plain<bool> was_empty = false;
  Plain<int> third = 0;
};
inline void look_behind(Program& p, bool last) {
  auto& s = p.make<Behind>(last);
  p.thread([&s] {
    s.begin(0);
    s.look_at(0), s.push(7);
    s.look_at(3), s.pop();
    s.look_at(1), s.push(6);
  });
  p.thread([&s] {
    s.begin(1);
    s.look_at(2);
    s.third = s.pop();
  });
  p.thread([&s] {
    s.begin(2);
    s.was_empty = s.bag.is_empty();
  });
  p.at_end([&s] {
    check(!s.was_empty || s.third != 6, "before 6 was popped it was never empty, and then there was 7");
    s.begin(0);
    while (s.pop() != 0) {
    }
    expect_all_is_freed();
  });
}
inline void look_behind_what_is_over(Program& p) { look_behind(p, false); }
inline void look_behind_a_block_that_is_over(Program& p) { look_behind(p, true); }

// Here it may be popped by the other thread, whose pop is the one that must find one: both have two elements to take.
struct TwoFilled : Scene {
  TwoFilled() { push(1), push(2); }
};
inline void pop_from_a_bag_that_is_never_empty(Program& p) {
  between_two<TwoFilled>(
      p, 3,
      [](TwoFilled& s) {
        check(s.pop() != 0, "there are two");
        s.push(3);
      },
      pop_what_is_never_empty<TwoFilled>);
}

// The inline slots are full: both need a block.
inline void link_a_block_beside_another(Program& p) {
  between_two<TwoFilled>(
      p, 4, [](TwoFilled& s) { s.push(3); }, [](TwoFilled& s) { s.push(4); });
}
// Two inline, and two in a block, which is full.
struct FourFilled : TwoFilled {
  FourFilled() { push(3), push(4); }
};
inline void link_a_block_beside_an_unlink(Program& p) {
  between_two<FourFilled>(
      p, 5, [](FourFilled& s) { s.push(5); },
      [](FourFilled& s) {
        s.look_at(0), s.pop(), s.look_at(0), s.pop(), s.look_at(0), s.pop();
        ebr::collect();
      });
}
// Blocks are walked by one while the other unlinks and frees them.
inline void walk_beside_an_unlink(Program& p) {
  between_two<FourFilled>(
      p, 4, [](FourFilled& s) { static_cast<void>(s.bag.len()); },
      [](FourFilled& s) {
        while (s.pop() != 0) {
        }
        ebr::collect();
      });
}
inline void empty_beside_another(Program& p) {
  const auto empty = [](FourFilled& s) {
    while (s.pop() != 0) {
    }
    ebr::collect();
  };
  between_two<FourFilled>(p, 4, empty, empty);
}
// One finds it empty, and seals the block, while the other pushes into it.
inline void seal_beside_a_push(Program& p) {
  between_two<InABlock>(
      p, 4, [](InABlock& s) { s.look_at(0), s.push(4); },
      [](InABlock& s) {
        s.pop(), s.pop();
        ebr::collect();
      },
      false);
}
inline void pop_all_beside_a_push(Program& p) {
  between_two<FourFilled>(
      p, 5, [](FourFilled& s) { s.push(5); },
      [](FourFilled& s) {
        s.pop_all();
        ebr::collect();
      });
}
inline void pop_all_beside_pops(Program& p) {
  between_two<FourFilled>(
      p, 4, [](FourFilled& s) { s.pop(), s.look_at(0), s.pop(); }, [](FourFilled& s) { s.pop_all(); });
}

// Blocks of which those in the middle get over. Nothing is inline, so that pops go on to the blocks.
struct InBlocks : SceneOf<2> {
  void pop_inline() { look_at(0), pop(), look_at(1), pop(); }
  void pop_beyond(int value) { check(pop() == value, "the newest block comes first, and its oldest element"); }
};
// The newest block holds nothing, but is not used up; the next one has one element left.
struct OneInTheMiddle : InBlocks {
  OneInTheMiddle() {
    push(2), push(3), push(4), push(1), push(5);
    pop_inline(), pop_beyond(5), pop_beyond(4);
    check(bag.blocks() == 2 && bag.len() == 1, "1 is left");
  }
};
// Two neighbours have one element left each; behind them is a full one.
struct TwoNeighbours : InBlocks {
  TwoNeighbours() {
    push(3), push(4), push(1), push(2), push(5), push(6);
    pop_inline(), pop_beyond(5);
    push(7), push(8), push(9), push(10);
    pop_inline(), pop_beyond(9);
    check(bag.blocks() == 3 && bag.len() == 4, "1 and 2, 6, 10 are left");
  }
};
inline void unlink_neighbours(Program& p) {
  const auto pop_one = [](TwoNeighbours& s) {
    check(s.pop() != 0, "there is one for each");
    ebr::collect();
  };
  between_two<TwoNeighbours>(p, 10, pop_one, pop_one);
}
inline void walk_beside_an_unlink_in_the_middle(Program& p) {
  between_two<OneInTheMiddle>(
      p, 5, [](OneInTheMiddle& s) { static_cast<void>(s.bag.len()); },
      [](OneInTheMiddle& s) {
        check(s.pop() == 1, "nobody else pops");
        check(s.bag.blocks() == 1, "the used up block is gone, though it was in the middle");
        ebr::collect();
      });
}
inline void pop_all_beside_an_unlink_in_the_middle(Program& p) {
  between_two<TwoNeighbours>(
      p, 10, [](TwoNeighbours& s) { s.pop_all(); },
      [](TwoNeighbours& s) {
        s.pop();
        ebr::collect();
      });
}

// Three threads.
inline void pop_beside_two_pairs(Program& p) {
  auto& s = p.make<Filled>();
  p.thread([&s] {
    s.begin(0);
    s.push(2);
    check(s.pop() != 0, "there are two for two");
  });
  p.thread([&s] {
    s.begin(1);
    s.push(3);
    check(s.pop() != 0, "there are two for two");
  });
  p.thread([&s] {
    s.begin(2);
    check(!s.bag.is_empty(), "one is always there");
  });
  p.at_end([&s] {
    s.begin(0);
    s.expect_all_were_popped(3);
  });
}

}  // namespace scree::model
