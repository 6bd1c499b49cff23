// SPDX-License-Identifier: Apache-2.0
//
// Small programs over LinkedList for the explorer. linked_list_model_test.cc expects them to be right,
// linked_list_planted_test.cc to fail in one way each when a step of the protocol is broken.

#pragma once

#include <initializer_list>
#include <utility>

#include <scree/linked_list.h>

#include "model/ebr_programs.h"
#include "model/explorer.h"

namespace scree::model {

class ListNode : public LinkedList<ListNode> {
 public:
  explicit ListNode(int number) : number_(number) {}
  int number() const { return number_; }

 private:
  Plain<int> number_;
};

// A head and nodes 1.. behind it, of which the program keeps owners.
class List : public Registered {
 public:
  explicit List(int nodes) {
    begin(0);
    const Barrier barrier;
    for (int n = nodes; n >= 1; --n) {
      node[n] = Arc<ListNode>::make(n);
      head.push_back(node[n].clone(), false, barrier);
    }
  }

  // The numbers of a walk from the head as digits: 0 is an empty list.
  int walk() const {
    const Barrier barrier;
    int numbers = 0;
    for (auto at = head.next_ptr(barrier); at; at = at->next_ptr(barrier)) numbers = 10 * numbers + at->number();
    return numbers;
  }
  bool push_behind(const ListNode& place, int number, bool mark = false) const {
    const Barrier barrier;
    const auto pushed = place.push_back(Arc<ListNode>::make(number), mark, barrier);
    check(pushed ? pushed.ptr->number() == number : pushed.entry->number() == number,
          "the entry, in place or given back");
    check(pushed || pushed.entry->link_ref().is_null(), "what is given back holds nothing");
    return static_cast<bool>(pushed);
  }
  // In the end.
  void expect(std::initializer_list<int> one_of) {
    const int numbers = walk();
    bool expected = false;
    for (const int n : one_of) expected = expected || n == numbers;
    check(expected, "what was not deleted is in the list, and nothing else");
    const auto last = head.link_ref().try_into_arc(memory_order_acquire);
    for (auto& owner : node) owner = {};
  }

  const ListNode head{0};
  Arc<ListNode> node[4];
  Plain<int> result[3] = {0, 0, 0};
};

inline bool holds(int numbers, int digit) {
  for (; numbers != 0; numbers /= 10) {
    if (numbers % 10 == digit) return true;
  }
  return false;
}

// `end` is called after both.
template <class First, class Second, class End>
void list_between_two(Program& p, int nodes, First first, Second second, End end) {
  auto& s = p.make<List>(nodes);
  p.thread([&s, first] {
    s.begin(0);
    first(s);
  });
  p.thread([&s, second] {
    s.begin(1);
    second(s);
  });
  p.at_end([&s, end] {
    s.begin(2);
    end(s);
    expect_all_is_freed();
  });
}

inline void delete_beside_a_delete(Program& p) {
  list_between_two(
      p, 1, [](List& s) { s.result[0] = s.node[1]->delete_self(); },
      [](List& s) { s.result[1] = s.node[1]->delete_self(); },
      [](List& s) {
        check(s.result[0] + s.result[1] == 1, "it is deleted once");
        s.expect({0});
      });
}
inline void mark_beside_a_delete(Program& p) {
  list_between_two(
      p, 1,
      [](List& s) {
        if (s.node[1]->mark()) s.result[0] = s.node[1]->unmark() ? 1 : 2;
      },
      [](List& s) { check(s.node[1]->delete_self(), "a mark is not in the way"); },
      [](List& s) {
        check(s.node[1]->is_deleted() && !s.node[1]->is_marked(), "for good, whatever came between");
        s.expect({0});
      });
}
inline void push_beside_another_push(Program& p) {
  list_between_two(
      p, 1, [](List& s) { check(s.push_behind(s.head, 2), "the head is not deleted"); },
      [](List& s) { check(s.push_behind(s.head, 3), "the head is not deleted"); },
      [](List& s) {
        s.expect({231, 321});
      });
}
// What is pushed behind a node that is being deleted is in the list, or given back.
inline void push_beside_a_delete(Program& p) {
  list_between_two(
      p, 2, [](List& s) { s.result[0] = s.push_behind(*s.node[1], 3); },
      [](List& s) {
        check(s.node[1]->delete_self(), "by this thread alone");
        const int met = s.walk();
        check(met == 2 || met == 32, "2 was there throughout");
        ebr::collect();
      },
      [](List& s) {
        s.node[2] = {};
        s.result[0] != 0 ? s.expect({32}) : s.expect({2});
      });
}
// Neighbours are deleted and unlinked by two; the one behind them stays.
inline void delete_neighbours(Program& p) {
  list_between_two(
      p, 3,
      [](List& s) {
        s.node[1]->delete_self();
        const int met = s.walk();
        check(met == 3 || met == 23, "3 is found, 1 is gone");
        ebr::collect();
      },
      [](List& s) {
        s.node[2]->delete_self();
        const int met = s.walk();
        check(met == 3 || met == 13, "3 is found, 2 is gone");
        ebr::collect();
      },
      [](List& s) { s.expect({3}); });
}
// The same where the list alone owns them.
inline void delete_neighbours_that_nobody_else_owns(Program& p) {
  list_between_two(
      p, 3,
      [](List& s) {
        s.node[1]->delete_self();
        s.node[1] = {};
        check(holds(s.walk(), 3), "3 is found");
        ebr::collect();
      },
      [](List& s) {
        s.node[2]->delete_self();
        s.node[2] = {}, s.node[3] = {};
        check(holds(s.walk(), 3), "3 is found");
        ebr::collect();
      },
      [](List& s) { s.expect({3}); });
}
// 1 is deleted. One thread unlinks it while another pushes in front of it.
inline void push_beside_an_unlink(Program& p) {
  list_between_two(
      p, 2,
      [](List& s) {
        s.node[1]->delete_self();
        check(holds(s.walk(), 2), "2 is found");
        ebr::collect();
      },
      [](List& s) { check(s.push_behind(s.head, 3, true), "the head is not deleted"); },
      [](List& s) {
        check(s.head.is_marked(), "by the push");
        s.expect({32});
      });
}
// … or marks the node that leads to it.
inline void mark_beside_an_unlink(Program& p) {
  list_between_two(
      p, 2,
      [](List& s) {
        s.node[1]->delete_self();
        s.walk();
      },
      [](List& s) { check(s.head.mark(), "it was not marked"); },
      [](List& s) {
        check(s.head.is_marked(), "no unlink takes the mark away");
        s.expect({2});
      });
}
// … or deletes the node that leads to it: a deleted node's link does not change, so that who stands there finds 3.
inline void delete_beside_an_unlink(Program& p) {
  list_between_two(
      p, 3,
      [](List& s) {
        const Barrier barrier;
        s.node[2]->delete_self();
        const auto next = s.node[1]->next_ptr(barrier);
        check(next && next->number() == 3, "3 is found");
        const auto again = s.node[1]->next_ptr(barrier);
        check(again && again->number() == 3, "3 is found");
      },
      [](List& s) {
        s.node[1]->delete_self();
        check(holds(s.walk(), 3), "3 is found");
      },
      [](List& s) { s.expect({3}); });
}
// What a thread did before it deleted a node is seen by who sees the deletion.
inline void delete_as_a_message(Program& p) {
  list_between_two(
      p, 1,
      [](List& s) {
        s.result[0] = 7;
        s.node[1]->delete_self();
      },
      [](List& s) {
        if (s.node[1]->is_deleted()) check(s.result[0] == 7, "what came before");
      },
      [](List& s) { s.expect({0}); });
}

// Three threads: a walk beside a deletion and a push behind a neighbour.
inline void walk_beside_changes(Program& p) {
  auto& s = p.make<List>(2);
  p.thread([&s] {
    s.begin(0);
    s.node[1]->delete_self();
    s.walk();
  });
  p.thread([&s] {
    s.begin(1);
    s.result[1] = s.push_behind(*s.node[1], 3);
  });
  p.thread([&s] {
    s.begin(2);
    check(holds(s.walk(), 2), "2 is found");
  });
  p.at_end([&s] {
    s.begin(0);
    s.result[1] != 0 ? s.expect({32}) : s.expect({2});
    expect_all_is_freed();
  });
}

}  // namespace scree::model
