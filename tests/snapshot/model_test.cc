// SPDX-License-Identifier: Apache-2.0
//
// A versioned tree and a versioned hash against std::map, with any number of open snapshots: each has its own copy of
// the map.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "snapshot/broken_stores.h"
#include "snapshot/stores.h"
#include "snapshot/verdict.h"

namespace scree::test {
namespace {

constexpr std::uint64_t kKeys = 60;

enum class Kind { kPut, kErase, kBatch, kTake, kCopy, kDrop, kGet, kRange, kCursor, kCompare };
constexpr int kKinds = 10;

struct Step {
  Kind kind;
  int index;
  std::uint64_t key;
  std::int64_t value;
};

[[maybe_unused]] std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << '{' << static_cast<int>(step.kind) << ", " << step.index << ", " << step.key << ", " << step.value
             << '}';
}

template <template <class> class StoreOf, class Types>
class Harness {
  using Store = StoreOf<Types>;
  using Snapshot = typename Store::Snapshot;
  using Entries = std::map<std::uint64_t, std::int64_t>;

 public:
  // Nothing, or the first difference between the store and the model.
  std::optional<std::string> run(const std::vector<Step>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (auto difference = perform(steps[i])) return "step " + std::to_string(i) + ": " + *difference;
    }
    open_.emplace_back(store_.snapshot(), model_);
    for (const auto& [snapshot, expected] : open_) {
      if (auto difference = find_difference(expected, store_.contents(snapshot))) return "at the end: " + *difference;
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> perform(const Step& step) {
    const Place place{step.index, step.key};
    switch (step.kind) {
      case Kind::kPut:
        commit({{place, step.value}});
        return std::nullopt;
      case Kind::kErase:
        commit({{place, std::nullopt}});
        return std::nullopt;
      case Kind::kBatch: {
        // Both indexes, neighbouring keys, and now and then a key twice.
        std::vector<PlaceWrite> writes = {{place, step.value}, {{1 - step.index, step.key}, step.value + 1}};
        for (std::uint64_t n = 0; n < step.key % 4; ++n) {
          const Place other{step.index, (step.key + n * static_cast<std::uint64_t>(step.value % 3)) % kKeys};
          writes.push_back({other, n % 2 == 0 ? std::optional(step.value + 2) : std::nullopt});
        }
        commit(writes);
        return std::nullopt;
      }
      case Kind::kTake:
        open_.emplace_back(store_.snapshot(), model_);
        return std::nullopt;
      case Kind::kCopy:
        if (!open_.empty()) open_.push_back(open_[chosen(step)]);
        return std::nullopt;
      case Kind::kDrop:
        if (!open_.empty()) {
          std::swap(open_[chosen(step)], open_.back());
          open_.pop_back();
        }
        return std::nullopt;
      case Kind::kGet:
        if (store_.get(place) != find(model_, place)) return "get without a snapshot";
        for (const auto& [snapshot, expected] : open_) {
          if (store_.get(place, snapshot) != find(expected, place)) return "get under a snapshot";
        }
        return std::nullopt;
      case Kind::kRange:
        return with_snapshot(
            step, [&](const Snapshot& snapshot, const Entries& expected) { return range(step, snapshot, expected); });
      case Kind::kCursor:
        return with_snapshot(
            step, [&](const Snapshot& snapshot, const Entries& expected) { return walk(step, snapshot, expected); });
      case Kind::kCompare:
        if (open_.empty()) return std::nullopt;
        return find_difference(open_[chosen(step)].second, store_.contents(open_[chosen(step)].first));
    }
    return std::nullopt;
  }

  std::size_t chosen(const Step& step) const { return static_cast<std::size_t>(step.value) % open_.size(); }

  void commit(const std::vector<PlaceWrite>& writes) {
    store_.commit(writes);
    for (const PlaceWrite& w : writes) {
      if (w.value) {
        model_[w.place] = *w.value;
      } else {
        model_.erase(w.place);
      }
    }
  }

  static std::optional<std::int64_t> find(const Contents& contents, Place place) {
    const auto it = contents.find(place);
    return it == contents.end() ? std::nullopt : std::optional(it->second);
  }

  // One of those that are open, or a new one, with the entries that the tree has in it.
  template <class F>
  std::optional<std::string> with_snapshot(const Step& step, F&& f) {
    if (open_.empty()) open_.emplace_back(store_.snapshot(), model_);
    const auto& [snapshot, expected] = open_[chosen(step)];
    Entries entries;
    for (const auto& [place, value] : expected) {
      if (place.index == 0) entries[place.key] = value;
    }
    return f(snapshot, entries);
  }

  std::optional<std::string> range(const Step& step, const Snapshot& snapshot, const Entries& entries) {
    // Sometimes the bounds enclose nothing, or the visit ends early.
    const std::uint64_t lower = step.key, upper = static_cast<std::uint64_t>(step.value) % kKeys;
    const std::size_t limit = step.index == 0 ? kKeys : 3;
    std::vector<std::pair<std::uint64_t, std::int64_t>> forward, backward, seen;
    for (const auto& entry : entries) {
      if (entry.first >= lower && entry.first < upper) forward.push_back(entry);
    }
    backward.assign(forward.rbegin(), forward.rend());
    forward.resize(std::min(forward.size(), limit));
    backward.resize(std::min(backward.size(), limit));
    const auto visit = [&](const auto& key, const auto& value) {
      seen.emplace_back(Types::key_number(key), Types::value_number(value));
      return seen.size() < limit;
    };
    store_.tree().range(Types::key(lower), Types::key(upper), snapshot, visit);
    if (seen != forward) return "range";
    seen.clear();
    store_.tree().reverse_range(Types::key(lower), Types::key(upper), snapshot, visit);
    if (seen != backward) return "reverse range";
    return std::nullopt;
  }

  std::optional<std::string> walk(const Step& step, const Snapshot& snapshot, const Entries& entries) {
    ebr::Barrier barrier;
    auto cursor = store_.tree().cursor(snapshot, barrier);
    auto expected = entries.end();
    const auto last = [&] { return entries.empty() ? entries.end() : std::prev(entries.end()); };
    switch (step.value % 4) {
      case 0:
        cursor.seek_to_first();
        expected = entries.begin();
        break;
      case 1:
        cursor.seek_to_last();
        expected = last();
        break;
      case 2:
        cursor.seek(Types::key(step.key));
        expected = entries.lower_bound(step.key);
        break;
      case 3:
        cursor.seek_for_prev(Types::key(step.key));
        expected = entries.upper_bound(step.key);
        expected = expected == entries.begin() ? entries.end() : std::prev(expected);
        break;
    }
    std::mt19937_64 random(static_cast<std::uint64_t>(step.value));
    for (int n = 0; n < 20; ++n) {
      if (cursor.valid() != (expected != entries.end())) return "a cursor's validity";
      if (!cursor.valid()) return std::nullopt;
      if (Types::key_number(cursor.key()) != expected->first ||
          Types::value_number(cursor.value()) != expected->second) {
        return "a cursor's entry";
      }
      if (random() % 3 == 0) {
        cursor.prev();
        expected = expected == entries.begin() ? entries.end() : std::prev(expected);
      } else {
        cursor.next();
        ++expected;
      }
    }
    return std::nullopt;
  }

  Store store_;
  Contents model_;
  std::vector<std::pair<Snapshot, Contents>> open_;
};

rc::Gen<std::vector<Step>> steps() {
  return rc::gen::scale(3.0,
                        rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
                            rc::gen::set(&Step::kind, rc::gen::map(rc::gen::inRange(0, kKinds),
                                                                   [](int kind) { return static_cast<Kind>(kind); })),
                            rc::gen::set(&Step::index, rc::gen::inRange(0, 2)),
                            rc::gen::set(&Step::key, rc::gen::inRange<std::uint64_t>(0, kKeys)),
                            rc::gen::set(&Step::value, rc::gen::inRange<std::int64_t>(0, 1000)))));
}

template <template <class> class StoreOf, class Types>
void agrees() {
  const auto difference = std::make_unique<Harness<StoreOf, Types>>()->run(*steps());
  if (difference) RC_FAIL(*difference);
}

template <template <class> class StoreOf, class Types>
std::optional<std::string> check_some_steps(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Step> some(200);
  for (Step& step : some) {
    step = {static_cast<Kind>(random() % kKinds), static_cast<int>(random() % 2), random() % kKeys,
            static_cast<std::int64_t>(random() % 1000)};
  }
  return std::make_unique<Harness<StoreOf, Types>>()->run(some);
}

RC_GTEST_PROP(VersionedModel, numbers_agree_with_a_map_under_every_open_snapshot, ()) { agrees<RealStore, Numbers>(); }
RC_GTEST_PROP(VersionedModel, bytes_agree_with_a_map_under_every_open_snapshot, ()) { agrees<RealStore, Bytes>(); }

TEST(VersionedModel, eager_pruning_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_some_steps<PrunesTooEagerly, Numbers>(seed); }));
  EXPECT_TRUE(is_caught([](auto seed) { return check_some_steps<PrunesTooEagerly, Bytes>(seed); }));
}
TEST(VersionedModel, a_batch_whose_first_write_to_a_key_counts_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_some_steps<KeepsTheFirstWrite, Numbers>(seed); }));
}

TEST(VersionedModel, an_empty_batch_is_no_commit) {
  RealStore<> store;
  EXPECT_EQ(apply(VersionedBatch()), 0u);
  EXPECT_EQ(store.snapshot().sequence(), 0u);
}

TEST(VersionedModel, a_batch_that_is_dropped_changes_nothing) {
  CommitClock clock;
  VersionedTree<std::string, std::string> tree(clock);
  {
    VersionedBatch batch;
    batch.put(tree, "key", "value");
    EXPECT_EQ(batch.count(), 1u);
  }
  EXPECT_EQ(tree.get("key"), std::nullopt);
  EXPECT_EQ(clock.visible(), 0u);
}

}  // namespace
}  // namespace scree::test
