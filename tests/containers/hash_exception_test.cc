// SPDX-License-Identifier: Apache-2.0
//
// Everything that may fail in an operation of a hash container fails in turn: allocation, copy, hash, equality, and the
// functions that are passed in. Each time it holds what it held before, nothing lost, twice there or unreachable, also
// in the middle of a resize. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <scree/hash_index.h>
#include <scree/hash_map.h>
#include <scree/hash_set.h>

#include "hash_kinds.h"
#include "index_failures.h"
#include "map_as_index.h"

namespace scree::test {
namespace {

TEST(HashMapException, changes_nothing_with_keys_that_throw) {
  fail_everything<FussyConfig, MapAsIndex<Fussy, Fussy, HashFussy>>(151);
}
TEST(HashMapException, changes_nothing_with_keys_that_throw_and_collide) {
  fail_everything<FussyConfig, MapAsIndex<Fussy, Fussy, OneHash>>(31);
}
TEST(HashMapException, changes_nothing_with_byte_strings) {
  fail_everything<StringConfig, MapAsIndex<std::string, Fussy>>(151);
}
TEST(HashMapException, changes_nothing_with_integers) {
  fail_everything<IntegerConfig, MapAsIndex<std::uint64_t, Fussy>>(151);
}
// Hashes are computed again when buckets are moved.
TEST(HashMapException, changes_nothing_with_plain_keys_that_throw) {
  fail_everything<PlainConfig, MapAsIndex<PlainKey, PlainValue, HashPlain>>(151);
}
TEST(HashIndexException, changes_nothing_with_plain_keys_that_throw) {
  fail_everything<PlainConfig, HashIndex<PlainKey, PlainValue, HashPlain>>(151);
}

template <class Config>
std::map<int, int> filled(auto& container, int keys) {
  std::map<int, int> expected;
  for (int n = 0; n < keys; ++n) {
    container.insert(Config::key(n), typename std::remove_reference_t<decltype(container)>::mapped_type(n));
    expected[n] = n;
  }
  return expected;
}

// What HashMap has beside what the indexes have.
template <class Config, class Container>
void fail_every_change_of_a_map(int keys) {
  using Value = typename Container::mapped_type;
  {
    Container container;
    auto& map = container.map();
    std::map<int, int> expected;
    const auto next = [&](auto change) { return changed(expected, change); };
    const auto add_1000 = [](Value& value) {
      may_fail();
      value = Value(value.value() + 1000);
    };
    for (int i = 0; i < keys; ++i) {
      const int n = i * 7 % keys;
      auto key = Config::key(n);
      Value value(n);
      const auto with_n = next([&](auto& entries) { entries[n] = n; });
      if (i % 3 == 0) {
        fail_at_every_step<Config>(container, expected, with_n, [&] {
          EXPECT_EQ(Config::number(key), n) << "a failure leaves the arguments untouched";
          const auto make = [&] {
            may_fail();
            return Value(n);
          };
          EXPECT_FALSE(map.upsert(std::move(key), make, add_1000));
        });
      } else if (i % 3 == 1) {
        fail_at_every_step<Config>(container, expected, with_n, [&] {
          EXPECT_EQ(value.value(), n) << "a failure leaves the arguments untouched";
          EXPECT_EQ(map.entry(key).or_insert(std::move(value)).value(), n);
        });
      } else {
        fail_at_every_step<Config>(container, expected, with_n, [&] {
          const auto make = [&] {
            may_fail();
            return Value(n);
          };
          EXPECT_EQ(map.entry(Config::key(n)).or_insert_with(make).value(), n);
        });
      }
      const auto probe = Config::key(n);
      const auto changed_n = [&] { return next([&](auto& entries) { entries[n] += 1000; }); };
      fail_at_every_step<Config>(container, expected, changed_n(), [&] { EXPECT_TRUE(map.update(probe, add_1000)); });
      fail_at_every_step<Config>(container, expected, changed_n(), [&] {
        const auto make = [&]() -> Value { throw Failure(); };
        EXPECT_TRUE(map.upsert(probe, make, add_1000));
      });
      fail_at_every_step<Config>(container, expected, changed_n(), [&] { map.entry(probe).and_modify(add_1000); });
      fail_at_every_step<Config>(container, expected, expected, [&] { EXPECT_TRUE(map.replace(probe).has_value()); });
      fail_at_every_step<Config>(container, expected, expected, [&] {
        const auto refuse = [](const Value&) {
          may_fail();
          return false;
        };
        EXPECT_FALSE(map.remove_if(probe, refuse).has_value());
        EXPECT_FALSE(map.replace(Config::key(keys)).has_value());
        EXPECT_FALSE(map.update(Config::key(keys), add_1000));
      });
      fail_at_every_step<Config>(container, expected, expected, [&] {
        EXPECT_TRUE(map.get(probe).is_occupied());
        EXPECT_TRUE(map.try_entry(probe)->is_occupied());
        const auto see = [](const auto&, const Value&) { may_fail(); };
        const auto refuse = [](const auto&, const Value&) {
          may_fail();
          return false;
        };
        EXPECT_TRUE(map.read(probe, see));
        map.scan(see);
        EXPECT_FALSE(map.any(refuse));
        EXPECT_FALSE(map.any_entry(refuse));
        auto entry = map.first_entry();
        std::size_t visited = 1;
        while (entry.next()) ++visited;
        EXPECT_EQ(visited, expected.size());
      });
      fail_at_every_step<Config>(container, expected, expected, [&] {
        const auto room = map.reserve(200);
        EXPECT_EQ(room.entries(), 200u);
      });
    }
    fail_at_every_step_of_many<Config>(container, expected, next([](auto& entries) {
                                         for (auto& entry : entries) entry.second = 1;
                                       }),
                                       [&] {
                                         map.for_each([](const auto&, Value& value) {
                                           may_fail();
                                           value = Value(1);
                                         });
                                       });
    for (int n = 0; n < keys; n += 2) {
      const auto without_n = next([&](auto& entries) { entries.erase(n); });
      const auto probe = Config::key(n);
      fail_at_every_step<Config>(container, expected, without_n, [&] {
        if (n % 4 == 0) {
          EXPECT_EQ(Config::number(map.get(probe).remove().first), n);
        } else {
          EXPECT_EQ(Config::number(map.remove(probe)->first), n);
        }
      });
    }
    const auto only_thirds = [](auto& entries) { std::erase_if(entries, [](auto& e) { return e.first % 3 != 0; }); };
    fail_at_every_step_of_many<Config>(container, expected, next(only_thirds), [&] {
      map.retain([](const auto& key, Value&) {
        may_fail();
        return Config::number(key) % 3 == 0;
      });
    });
    fail_at_every_step_of_many<Config>(container, expected, {}, [&] {
      map.prune([](const auto&, Value&&) -> std::optional<Value> {
        may_fail();
        return std::nullopt;
      });
    });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

TEST(HashMapException, no_change_happens_by_half_with_keys_that_throw) {
  fail_every_change_of_a_map<FussyConfig, MapAsIndex<Fussy, Fussy, HashFussy>>(61);
}
TEST(HashMapException, no_change_happens_by_half_with_keys_that_throw_and_collide) {
  fail_every_change_of_a_map<FussyConfig, MapAsIndex<Fussy, Fussy, OneHash>>(31);
}
TEST(HashMapException, no_change_happens_by_half_with_byte_strings) {
  fail_every_change_of_a_map<StringConfig, MapAsIndex<std::string, Fussy>>(61);
}
TEST(HashMapException, no_change_happens_by_half_with_plain_keys_that_throw) {
  fail_every_change_of_a_map<PlainConfig, MapAsIndex<PlainKey, PlainValue, HashPlain>>(61);
}

// What HashIndex has beside what all indexes have.
template <class Config, class Index>
void fail_every_change_of_an_index(int keys) {
  using Value = typename Index::mapped_type;
  using Outcome = std::optional<std::optional<Value>>;
  {
    Index index;
    std::map<int, int> expected;
    const auto next = [&](auto change) { return changed(expected, change); };
    const auto add_1000 = [](const Value& value) {
      may_fail();
      return Value(value.value() + 1000);
    };
    for (int i = 0; i < keys; ++i) {
      const int n = i * 7 % keys;
      const auto probe = Config::key(n);
      Value value(n);
      const auto with_n = next([&](auto& entries) { entries[n] = n; });
      {
        // The handle outlives the failures.
        auto entry = index.entry(probe);
        fail_at_every_step<Config>(index, expected, with_n, [&] {
          EXPECT_EQ(value.value(), n) << "a failure leaves the arguments untouched";
          EXPECT_FALSE(entry.is_occupied());
          if (i % 2 == 0) {
            EXPECT_EQ(entry.or_insert(std::move(value)).value(), n);
          } else {
            EXPECT_EQ(entry.or_insert_with([&]() -> Value&& { return may_fail(), std::move(value); }).value(), n);
          }
        });
        EXPECT_EQ(entry.value().value(), n);
        Value another(n + 1000);
        const auto replaced = next([&](auto& entries) { entries[n] += 1000; });
        fail_at_every_step<Config>(index, expected, replaced, [&] {
          EXPECT_EQ(another.value(), n + 1000) << "a failure leaves the arguments untouched";
          entry.replace(std::move(another));
        });
        EXPECT_FALSE(entry.is_occupied());
      }
      fail_at_every_step<Config>(index, expected, next([&](auto& entries) { entries[n] += 1000; }),
                                 [&] { EXPECT_TRUE(index.update(probe, add_1000)); });
      fail_at_every_step<Config>(index, expected, next([&](auto& entries) { entries[n] = n; }), [&] {
        EXPECT_TRUE(index.modify(probe, [&](const Value&) { return may_fail(), Outcome(std::in_place, Value(n)); }));
      });
      fail_at_every_step<Config>(index, expected, expected, [&] {
        EXPECT_FALSE(index.modify(probe, [&](const Value&) { return may_fail(), Outcome(); }));
        EXPECT_TRUE(index.try_entry(probe)->is_occupied());
        const auto room = index.reserve(200);
      });
      if (i % 3 != 0) continue;
      fail_at_every_step<Config>(index, expected, next([&](auto& entries) { entries.erase(n); }), [&] {
        if (i % 2 == 0) {
          EXPECT_TRUE(index.modify(probe, [&](const Value&) { return may_fail(), Outcome(std::in_place); }));
        } else {
          index.entry(probe).remove();
        }
      });
    }
    std::vector<std::pair<typename Config::Key, Value>> pairs;
    auto all = expected;
    for (int n = 0; n < 2 * keys; ++n) {
      pairs.emplace_back(Config::key(n), Value(n));
      all.emplace(n, n);
    }
    fail_at_every_step_of_many<Config>(index, expected, all, [&] { index.insert_range(pairs); });
    const auto only_tenths = [](auto& entries) { std::erase_if(entries, [](auto& e) { return e.first % 10 != 0; }); };
    fail_at_every_step_of_many<Config>(index, expected, next(only_tenths), [&] {
      index.retain([](const auto& key, const Value&) {
        may_fail();
        return Config::number(key) % 10 == 0;
      });
    });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

TEST(HashIndexException, no_change_happens_by_half_with_keys_that_throw) {
  fail_every_change_of_an_index<FussyConfig, HashIndex<Fussy, Fussy, HashFussy>>(61);
}
TEST(HashIndexException, no_change_happens_by_half_with_keys_that_throw_and_collide) {
  fail_every_change_of_an_index<FussyConfig, HashIndex<Fussy, Fussy, OneHash>>(31);
}
TEST(HashIndexException, no_change_happens_by_half_with_byte_strings) {
  fail_every_change_of_an_index<StringConfig, HashIndex<std::string, Fussy>>(61);
}
TEST(HashIndexException, no_change_happens_by_half_with_plain_keys_that_throw) {
  fail_every_change_of_an_index<PlainConfig, HashIndex<PlainKey, PlainValue, HashPlain>>(61);
}

// So large that it shrinks on the way, while a hash fails: in a move, which goes on without, or in the removal itself.
template <class Container>
void fail_a_removal_of_everything(const auto& remove) {
  for (std::size_t step = 1, left = 0; left == 0; ++step) {
    Container container;
    const std::map<int, int> before = filled<PlainConfig>(container, 300);
    FailurePoint::left = step;
    bool done = false;
    try {
      remove(container);
      done = true;
      left = FailurePoint::left;
    } catch (const Failure&) {
    } catch (const std::bad_alloc&) {
    }
    FailurePoint::left = 0;
    const auto after = contents<PlainConfig>(container);  // and as many as it says
    EXPECT_TRUE(std::includes(before.begin(), before.end(), after.begin(), after.end())) << "step " << step;
    EXPECT_TRUE(!done || after.empty()) << "step " << step;
    remove(container);
    ASSERT_EQ(container.len(), 0u) << "step " << step;
    ASSERT_LT(step, 10'000u);
  }
}

TEST(HashMapException, a_removal_of_everything_counts_what_it_has_removed) {
  using Map = MapAsIndex<PlainKey, PlainValue, HashPlain>;
  fail_a_removal_of_everything<Map>([](auto& map) { map.clear(); });
  fail_a_removal_of_everything<Map>([](auto& map) { map.retain([](const PlainKey&, PlainValue&) { return false; }); });
}
TEST(HashIndexException, a_removal_of_everything_counts_what_it_has_removed) {
  using Index = HashIndex<PlainKey, PlainValue, HashPlain>;
  fail_a_removal_of_everything<Index>([](auto& index) { index.clear(); });
  fail_a_removal_of_everything<Index>(
      [](auto& index) { index.retain([](const auto&, const auto&) { return false; }); });
}

// Equal to others with the same number.
struct Tagged : Fussy {
  Tagged(int n, int t) : Fussy(n), tag(t) {}
  int tag;
};
template <class Container>
void fail_replacements(const auto& tag_of) {
  {
    Container container;
    for (int n = 0; n < 40; ++n) {
      if constexpr (requires { container.insert(Tagged(n, 0), Fussy(n)); }) {
        container.insert(Tagged(n, 0), Fussy(n));
      } else {
        container.insert(Tagged(n, 0));
      }
    }
    for (int n = 0; n < 40; ++n) {
      for (std::size_t step = 1, done = 0; done == 0; ++step) {
        Tagged key(n, 1);
        std::optional<int> old;
        FailurePoint::left = step;
        try {
          const auto replaced = container.replace(std::move(key));
          old = replaced->tag;
          done = 1;
        } catch (const std::bad_alloc&) {
        } catch (const Failure&) {
        }
        FailurePoint::left = 0;
        EXPECT_EQ(tag_of(container, n), done) << "key " << n << ", step " << step;
        EXPECT_EQ(old, done == 1 ? std::optional(0) : std::nullopt);
        if (done == 0) {
          EXPECT_EQ(key.value(), n) << "a failure leaves the arguments untouched";
        }
        ASSERT_LT(step, 1'000u);
      }
    }
    EXPECT_EQ(container.len(), 40u);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

TEST(HashMapException, a_key_is_replaced_and_returned_or_stays) {
  fail_replacements<HashMap<Tagged, Fussy, HashFussy>>([](auto& map, int n) {
    return static_cast<std::size_t>(*map.read(Tagged(n, 5), [&](const Tagged& key, const Fussy& value) {
      EXPECT_EQ(value.value(), n);
      return key.tag;
    }));
  });
}
TEST(HashSetException, a_key_is_replaced_and_returned_or_stays) {
  fail_replacements<HashSet<Tagged, HashFussy>>([](auto& set, int n) {
    return static_cast<std::size_t>(*set.read(Tagged(n, 5), [](const Tagged& key) { return key.tag; }));
  });
}

class SetAsIndex {
 public:
  HashSet<Fussy, HashFussy> set;
  std::vector<std::pair<Fussy, PlainValue>> iter(const ebr::Barrier&) const {
    std::vector<std::pair<Fussy, PlainValue>> entries;
    set.scan([&](const Fussy& key) { entries.emplace_back(key, PlainValue(0)); });
    return entries;
  }
  std::size_t len() const { return set.len(); }
};

TEST(HashSetException, changes_nothing) {
  {
    SetAsIndex container;
    auto& set = container.set;
    std::map<int, int> expected;
    const auto next = [&](auto change) { return changed(expected, change); };
    for (int n = 0; n < 61; ++n) {
      Fussy key(n);
      fail_at_every_step<FussyConfig>(container, expected, next([&](auto& keys) { keys[n] = 0; }), [&] {
        EXPECT_EQ(key.value(), n) << "a failure leaves the arguments untouched";
        EXPECT_TRUE(set.insert(std::move(key)));
      });
      fail_at_every_step<FussyConfig>(container, expected, expected, [&] {
        EXPECT_FALSE(set.insert(Fussy(n)));
        EXPECT_FALSE(set.remove_if(Fussy(n), [] { return may_fail(), false; }).has_value());
        EXPECT_FALSE(set.any([](const Fussy&) { return may_fail(), false; }));
        EXPECT_TRUE(set.contains(Fussy(n)));
      });
    }
    for (int n = 0; n < 61; n += 2) {
      fail_at_every_step<FussyConfig>(container, expected, next([&](auto& keys) { keys.erase(n); }),
                                      [&] { EXPECT_EQ(set.remove(Fussy(n))->value(), n); });
    }
    fail_at_every_step_of_many<FussyConfig>(container, expected, {},
                                            [&] { set.retain([](const Fussy&) { return may_fail(), false; }); });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

// Nothing is reserved where it failed.
template <class Container>
void fail_reservations() {
  Container container;
  filled<PlainConfig>(container, 20);
  const std::size_t few = container.capacity();
  for (std::size_t step = 1;; ++step) {
    FailurePoint::left = step;
    try {
      const auto room = container.reserve(1'000);
      FailurePoint::left = 0;
      EXPECT_GE(container.capacity(), 1'000u);
      break;
    } catch (const std::bad_alloc&) {
    }
    FailurePoint::left = 0;
    EXPECT_EQ(container.capacity(), few);
    ASSERT_LT(step, 100u);
  }
  for (int n = 0; n < 3'000; ++n) {
    container.insert(PlainKey{100}, PlainValue(0));
    container.remove(PlainKey{100});
  }
  EXPECT_LE(container.capacity(), 8 * few) << "what failed is not a floor";
}
TEST(HashMapException, a_reservation_that_fails_reserves_nothing) {
  fail_reservations<MapAsIndex<PlainKey, PlainValue, HashPlain>>();
}
TEST(HashIndexException, a_reservation_that_fails_reserves_nothing) {
  fail_reservations<HashIndex<PlainKey, PlainValue, HashPlain>>();
}

TEST(HashMapException, construction_leaks_nothing) {
  fail_construction<HashMap<std::uint64_t, Fussy>>();
  fail_construction<HashSet<std::string>>();
}

}  // namespace
}  // namespace scree::test
