// SPDX-License-Identifier: Apache-2.0
//
// What the tests of LinkedList put into lists.

#pragma once

#include <vector>

#include <scree/linked_list.h>

namespace scree::test {

struct Node : LinkedList<Node> {
  explicit Node(int n, Atomic<int>* counter = nullptr) : number(n), alive(counter) {
    if (alive != nullptr) ++*alive;
  }
  ~Node() {
    if (alive != nullptr) --*alive;
  }

  const int number;
  Atomic<int>* const alive;
};

// By a walk.
inline std::vector<int> numbers_behind(const Node& head, const ebr::Barrier& barrier) {
  std::vector<int> numbers;
  for (auto node = head.next_ptr(barrier); node; node = node->next_ptr(barrier)) numbers.push_back(node->number);
  return numbers;
}

}  // namespace scree::test
