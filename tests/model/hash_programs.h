// SPDX-License-Identifier: Apache-2.0
//
// Small programs over HashIndex for the explorer, with buckets of two slots and overflow groups of one.
// hash_model_test.cc expects them to be right, and to fail in one way each when a step is broken.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <scree/hash_index.h>

#include "ebr_programs.h"
#include "model/explorer.h"

namespace scree::model::hash {

// Odd keys are in the second half of a table, and keys from 100 on have the fingerprint of a slot that has had none.
struct Chosen {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const noexcept {
    const auto bits = static_cast<std::uint64_t>(key);
    return bits << 63 | bits << 40 | (key < 100 ? bits : 0);
  }
};
using Numbers = HashIndex<int, int, Chosen>;

// An index with the keys 1 to `present`, each with the value 10 times itself. Two fit into the first table, unless that
// is to have more room; one more makes it grow.
struct Scene : Registered {
  explicit Scene(int present = 0, std::size_t capacity = 0) : index(std::make_unique<Numbers>(capacity)) {
    for (int key = 1; key <= present; ++key) index->insert(key, 10 * key);
  }

  // 0: absent.
  int read(int key) const {
    return index->read(key, [](int, int value) { return value; }).value_or(0);
  }
  // What the second thread of several programs does.
  void read_twice() {
    begin(1);
    result[0] = read(1);
    result[1] = read(1);
  }
  void count_visits() {
    begin(1);
    const Barrier barrier;
    for (const auto [key, value] : index->iter(barrier)) result[key] = result[key] + 1;
  }
  // All is as it should be, and goes.
  void end(int entries) {
    check(index->len() == static_cast<std::size_t>(entries), "as many entries as there should be");
    std::size_t visited = 0;
    {
      const Barrier barrier;
      for ([[maybe_unused]] const auto& entry : index->iter(barrier)) ++visited;
    }
    check(visited == index->len(), "an iteration visits them all, once");
    index.reset();
    expect_all_is_freed();
  }

  std::unique_ptr<Numbers> index;
  Plain<int> result[4] = {0, 0, 0, 0};
};

inline void insert_beside_insert_of_the_key(Program& p) {
  auto& s = p.make<Scene>();
  for (int n = 0; n < 2; ++n) {
    p.thread([&s, n] {
      s.begin(n);
      s.result[n] = s.index->insert(1, 10 + n);
    });
  }
  p.at_end([&s] {
    check(s.result[0] + s.result[1] == 1, "one of the inserts succeeds");
    check(s.read(1) == (s.result[0] == 1 ? 10 : 11), "and its value is there");
    s.end(1);
  });
}

inline void read_beside_insert(Program& p) {
  auto& s = p.make<Scene>();
  p.thread([&s] {
    s.begin(0);
    s.index->insert(1, 10);
  });
  p.thread([&s] { s.read_twice(); });
  p.at_end([&s] {
    check(s.result[0] == 0 || s.result[0] == 10, "the value is whole");
    check(s.result[1] == 10 || s.result[0] == 0, "what was there stays");
    s.end(1);
  });
}

// No fingerprint keeps the reader from a slot that nobody has filled yet.
inline void read_beside_insert_of_a_likely_key(Program& p) {
  auto& s = p.make<Scene>();
  p.thread([&s] {
    s.begin(0);
    s.index->insert(100, 10);
  });
  p.thread([&s] {
    s.begin(1);
    s.result[0] = s.read(100);
  });
  p.at_end([&s] {
    check(s.result[0] == 0 || s.result[0] == 10, "the value is whole");
    s.end(1);
  });
}

// A key that is there all the time is found, and not with an older value than before.
inline void reads_beside_upserts(Program& p) {
  auto& s = p.make<Scene>(1);
  p.thread([&s] {
    s.begin(0);
    s.index->upsert(1, 11);
    s.index->upsert(1, 12);
  });
  p.thread([&s] { s.read_twice(); });
  p.at_end([&s] {
    check(s.result[0] >= 10 && s.result[1] >= s.result[0], "a key that is there is found, with a value no older");
    check(s.read(1) == 12, "the last value stays");
    s.end(1);
  });
}

// A key that is there is found, though it is replaced meanwhile.
inline void reads_beside_an_upsert(Program& p, int present) {
  auto& s = p.make<Scene>(present);
  p.thread([&s] {
    s.begin(0);
    s.index->upsert(1, 11);
  });
  p.thread([&s] { s.read_twice(); });
  p.at_end([&s, present] {
    check(s.result[0] >= 10 && s.result[1] >= s.result[0], "a key that is there is found, with a value no older");
    s.end(present);
  });
}
// The bucket is full: the new entry goes behind.
inline void read_beside_upsert_into_overflow(Program& p) { reads_beside_an_upsert(p, 2); }

// Both buckets are full, and have their new groups of the same memory.
inline void upserts_into_overflow_of_two_buckets(Program& p) {
  auto& s = p.make<Scene>(4, 3);
  for (int n = 0; n < 2; ++n) {
    p.thread([&s, n] {
      s.begin(n);
      s.index->upsert(1 + n, 11 + 10 * n);
    });
  }
  p.at_end([&s] {
    for (int key = 1; key <= 4; ++key) check(s.read(key) == 10 * key + (key < 3 ? 1 : 0), "each has its last value");
    s.end(4);
  });
}

// Once somebody has not found it, nobody does.
inline void reads_beside_remove(Program& p) {
  auto& s = p.make<Scene>(1);
  p.thread([&s] {
    s.begin(0);
    s.index->remove(1);
    s.result[2] = s.read(1);
  });
  p.thread([&s] { s.read_twice(); });
  p.at_end([&s] {
    check(s.result[2] == 0, "what was removed is gone");
    check(s.result[0] == 10 || s.result[1] == 0, "and stays so");
    s.end(0);
  });
}

// What was found is not found absent by who comes after the one who found it absent.
inline void two_readers_beside_remove(Program& p) {
  auto& s = p.make<Scene>(1);
  auto& seen_absent = p.make<Atomic<int>>(0);
  p.thread([&s] {
    s.begin(0);
    s.index->remove(1);
  });
  p.thread([&s, &seen_absent] {
    s.begin(1);
    if (s.read(1) == 0) seen_absent.store(1, memory_order_release);
  });
  p.thread([&s, &seen_absent] {
    if (seen_absent.load(memory_order_acquire) == 0) return;
    s.result[0] = s.read(1);
  });
  p.at_end([&s] {
    check(s.result[0] == 0, "absent for one, absent for who comes after it");
    s.end(0);
  });
}

// What a reader holds stays, though the slot's entry is removed and others come.
inline void peek_beside_removals_and_inserts(Program& p) {
  auto& s = p.make<Scene>(1);
  p.thread([&s] {
    s.begin(0);
    for (int n = 0; n < 2; ++n) {
      s.index->remove(1 + n);
      s.index->insert(2 + n, 20 + 10 * n);
    }
  });
  p.thread([&s] {
    s.begin(1);
    const Barrier barrier;
    const int* const value = s.index->peek(1, barrier);
    if (value != nullptr) s.result[0] = *value;
    if (value != nullptr) s.result[1] = *value;
  });
  p.at_end([&s] {
    check(s.result[0] == s.result[1] && (s.result[0] == 0 || s.result[0] == 10), "what is held stays as it is");
    s.end(1);
  });
}

// The third key begins another table; the fourth comes when buckets move.
inline void reads_beside_growth(Program& p) {
  auto& s = p.make<Scene>(2);
  p.thread([&s] {
    s.begin(0);
    s.index->insert(3, 30);
    s.index->insert(4, 40);
  });
  p.thread([&s] {
    s.begin(1);
    s.result[0] = s.read(1);
    s.result[1] = s.read(2);
    s.result[2] = s.read(3);
  });
  p.at_end([&s] {
    check(s.result[0] == 10 && s.result[1] == 20, "what is there is found while it moves");
    check(s.result[2] == 0 || s.result[2] == 30, "what comes is whole");
    for (int key = 1; key <= 4; ++key) check(s.read(key) == 10 * key, "all is there in the end");
    s.end(4);
  });
}

// Both change while the buckets move; who comes first moves them.
inline void upsert_beside_remove_in_growth(Program& p) {
  auto& s = p.make<Scene>(3);
  p.thread([&s] {
    s.begin(0);
    s.result[0] = s.index->upsert(1, 11);
  });
  p.thread([&s] {
    s.begin(1);
    s.result[1] = s.index->remove(2);
  });
  p.at_end([&s] {
    check(s.result[0] == 1 && s.result[1] == 1, "both find their keys");
    check(s.read(1) == 11 && s.read(2) == 0 && s.read(3) == 30, "both changes last");
    s.end(2);
  });
}

// Each moves its own bucket, and the other one unless that is locked.
inline void upserts_in_growth_of_two_buckets(Program& p) {
  auto& s = p.make<Scene>(5, 3);
  for (int n = 0; n < 2; ++n) {
    p.thread([&s, n] {
      s.begin(n);
      s.index->upsert(1 + n, 11 + 10 * n);
      s.result[n] = s.read(1 + n);
    });
  }
  p.at_end([&s] {
    check(s.result[0] == 11 && s.result[1] == 21, "who has changed a key sees that");
    s.end(5);
  });
}

inline void reads_beside_upsert_in_growth(Program& p) { reads_beside_an_upsert(p, 3); }

inline void iterate_beside_growth(Program& p) {
  auto& s = p.make<Scene>(2);
  p.thread([&s] {
    s.begin(0);
    s.index->insert(3, 30);
    s.index->upsert(1, 11);
  });
  p.thread([&s] { s.count_visits(); });
  p.at_end([&s] {
    check(s.result[1] == 1 && s.result[2] == 1 && s.result[3] <= 1, "each once; what comes, once at most");
    s.end(3);
  });
}

inline void iterate_beside_upsert_into_overflow(Program& p) {
  auto& s = p.make<Scene>(2);
  p.thread([&s] {
    s.begin(0);
    s.index->upsert(1, 11);
  });
  p.thread([&s] { s.count_visits(); });
  p.at_end([&s] {
    check(s.result[1] == 1 && s.result[2] == 1, "each once");
    s.end(2);
  });
}

}  // namespace scree::model::hash
