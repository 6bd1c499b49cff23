// SPDX-License-Identifier: Apache-2.0
//
// HashMap, HashSet, and what HashIndex has beside what all indexes have, beside std::map under generated operations.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <scree/hash_index.h>
#include <scree/hash_map.h>
#include <scree/hash_set.h>

#include "hash_kinds.h"
#include "index_configs.h"
#include "index_steps.h"
#include "map_as_index.h"

namespace scree::test {
namespace {

struct TwoHashes {
  std::size_t operator()(std::uint64_t key) const noexcept { return key % 2; }
};

// Which entries a walk is asked to keep: by the number of the value.
template <class Config>
bool is_kept(const Step& s, const typename Config::Value& value) {
  for (std::uint64_t n = 0; n < 80; ++n) {
    if (Config::value(n) == value) return (n + s.other) % 4 != 0;
  }
  RC_FAIL("a value that nobody inserted");
  return false;
}

template <class Config, class Container>
void check_entries(const Container& container, const Model<Config>& model) {
  auto entries = entries_of<Config>(container);
  std::sort(entries.begin(), entries.end());
  RC_ASSERT(std::equal(entries.begin(), entries.end(), model.begin(), model.end(),
                       [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
}

// Takes out of the model what a walk does not keep; how many that keeps, and how many not.
template <class Config>
std::pair<std::size_t, std::size_t> retain_in(Model<Config>& model, const Step& s) {
  const std::size_t before = model.size();
  std::erase_if(model, [&](const auto& entry) { return !is_kept<Config>(s, entry.second); });
  return {model.size(), before - model.size()};
}

// What both have, by the kinds of steps that ordered indexes have more of; false for the others.
template <class Config, class Container>
bool run_shared_step(const Step& s, Container& container, Model<Config>& model, auto& reservations) {
  using Value = typename Config::Value;
  const auto key = Config::key(s.key);
  const auto found = model.find(key);
  const bool present = found != model.end();
  switch (s.kind) {
    case StepKind::kUpdate:
      RC_ASSERT(container.update(key, [&](const Value& value) {
        RC_ASSERT(value == found->second);
        return Config::value(s.other);
      }) == present);
      if (present) found->second = Config::value(s.other);
      return true;
    case StepKind::kRange: {
      const auto result = container.retain([&](const auto& of, const Value& value) {
        RC_ASSERT(model.at(typename Config::Key(of)) == value);
        return is_kept<Config>(s, value);
      });
      RC_ASSERT(result == retain_in<Config>(model, s));
      return true;
    }
    case StepKind::kNeighbours:
      if (s.choice % 3 == 0 && !reservations.empty()) {
        reservations.erase(reservations.begin() + static_cast<std::ptrdiff_t>(s.other % reservations.size()));
      } else if (s.choice % 3 == 1 && reservations.size() > 1) {
        reservations.front() = std::move(reservations.back());
        reservations.pop_back();
      } else {
        reservations.push_back(container.reserve(s.other * s.choice));
      }
      return true;
    case StepKind::kIterate:
      check_entries<Config>(container, model);
      return true;
    default:
      return false;
  }
}

// With a handle, as `choice` says; the rest of it the same in both kinds of containers.
template <class Config>
void run_entry_step(const Step& s, auto&& entry, Model<Config>& model) {
  const auto key = Config::key(s.key);
  const auto value = Config::value(s.other);
  const auto found = model.find(key);
  const bool present = found != model.end();
  RC_ASSERT(entry.is_occupied() == present);
  if (present) {
    RC_ASSERT(entry.key() == key);
    RC_ASSERT(entry.value() == found->second);
  }
  switch (s.choice % 3) {
    case 0:
      RC_ASSERT(entry.or_insert(value) == (present ? found->second : value));
      model.emplace(key, value);
      break;
    case 1:
      RC_ASSERT(entry.or_insert_with([&] { return value; }) == (present ? found->second : value));
      if constexpr (requires { entry.replace(value); }) {
        entry.replace(Config::value(s.key));
      } else {
        entry.value() = Config::value(s.key);
      }
      model.insert_or_assign(key, Config::value(s.key));
      break;
    default:
      if (present) entry.remove();
      model.erase(key);
  }
}

template <class Config, class HashFunction = Hash<typename Config::Key>>
void map_agrees_with_a_map() {
  using Value = typename Config::Value;
  using Key = typename Config::Key;
  MapAsIndex<Key, Value, HashFunction> container;
  auto& map = container.map();
  Model<Config> model;
  std::vector<typename MapAsIndex<Key, Value, HashFunction>::Map::Reservation> reservations;
  for (const Step& s : *steps()) {
    const auto key = Config::key(s.key);
    const auto found = model.find(key);
    const bool present = found != model.end();
    if (s.kind == StepKind::kPeek) {
      const auto entry = map.get(key);
      RC_ASSERT(entry.is_occupied() == present);
      if (present) RC_ASSERT(entry.value() == found->second);
    } else if (s.kind == StepKind::kEntry) {
      run_entry_step<Config>(s, map.entry(key), model);
    } else if (s.kind == StepKind::kWalk) {
      const auto result = map.prune([&](const auto& of, Value&& value) -> std::optional<Value> {
        RC_ASSERT(model.at(Key(of)) == value);
        if (!is_kept<Config>(s, value)) return std::nullopt;
        return Config::value(s.other);
      });
      RC_ASSERT(result == retain_in<Config>(model, s));
      for (auto& entry : model) entry.second = Config::value(s.other);
    } else if (s.kind == StepKind::kPop) {
      // By a handle: each other one, from the first on.
      std::set<Key> seen;
      auto entry = map.first_entry();
      for (bool more = entry.is_occupied(); more; more = entry.next()) {
        RC_ASSERT(seen.insert(Key(entry.key())).second);
        RC_ASSERT(model.at(Key(entry.key())) == entry.value());
      }
      RC_ASSERT(seen.size() == model.size());
      const auto old = map.replace(key);
      RC_ASSERT(old == (present ? std::optional(key) : std::nullopt));
      if (present) RC_ASSERT(map.remove(key) == std::optional(std::pair(key, found->second)));
      model.erase(key);
    } else if (!run_shared_step<Config>(s, container, model, reservations)) {
      RC_ASSERT((run_common_step<Config, true>(s, container, model)));
    }
    RC_ASSERT(map.len() == model.size());
    RC_ASSERT(map.is_empty() == model.empty());
  }
  check_entries<Config>(container, model);
}

template <class Config, class HashFunction = Hash<typename Config::Key>>
void index_agrees_with_a_map() {
  using Value = typename Config::Value;
  using Key = typename Config::Key;
  HashIndex<Key, Value, HashFunction> index;
  Model<Config> model;
  std::vector<typename HashIndex<Key, Value, HashFunction>::Reservation> reservations;
  const ebr::Barrier barrier;
  HeldValues<Value> held;
  for (const Step& s : *steps()) {
    const auto key = Config::key(s.key);
    const auto found = model.find(key);
    const bool present = found != model.end();
    if (s.kind == StepKind::kEntry) {
      run_entry_step<Config>(s, index.entry(key), model);
    } else if (s.kind == StepKind::kWalk) {
      // Left, removed or replaced.
      using Outcome = std::optional<std::optional<Value>>;
      const Outcome outcome = s.choice % 3 == 0   ? Outcome()
                              : s.choice % 3 == 1 ? Outcome(std::in_place)
                                                  : Outcome(std::in_place, Config::value(s.other));
      RC_ASSERT(index.modify(key, [&](const Value& value) {
        RC_ASSERT(value == found->second);
        return outcome;
      }) == (present && outcome.has_value()));
      if (present && outcome) {
        if (*outcome) {
          found->second = **outcome;
        } else {
          model.erase(found);
        }
      }
    } else if (s.kind == StepKind::kPop) {
      std::vector<std::pair<Key, Value>> pairs;
      std::size_t absent = 0;
      for (std::uint64_t n = 0; n < 3 * s.choice; ++n) {
        pairs.emplace_back(Config::key((s.key + n * s.other) % 80), Config::value((s.other + n) % 80));
        absent += model.insert(pairs.back()).second ? 1 : 0;
      }
      RC_ASSERT(index.insert_range(pairs) == absent);
    } else if (!run_shared_step<Config>(s, index, model, reservations)) {
      RC_ASSERT((run_common_step<Config, true>(s, index, model)));
    }
    held.hold(index.peek(key, barrier));
    RC_ASSERT(index.len() == model.size());
  }
  check_entries<Config>(index, model);
  RC_ASSERT(held.unchanged());
}

template <class Config, class HashFunction = Hash<typename Config::Key>>
void set_agrees_with_a_set() {
  using Key = typename Config::Key;
  HashSet<Key, HashFunction> set;
  std::set<Key> model;
  for (const Step& s : *steps()) {
    const auto key = Config::key(s.key);
    const bool present = model.contains(key);
    const std::optional<Key> expected = present ? std::optional(key) : std::nullopt;
    switch (s.kind) {
      case StepKind::kRemove:
        RC_ASSERT(set.remove(key) == expected);
        model.erase(key);
        break;
      case StepKind::kRemoveIf: {
        const bool wanted = s.choice % 2 == 0;
        RC_ASSERT(set.remove_if(key, [&] { return wanted; }) == (wanted ? expected : std::nullopt));
        if (wanted) model.erase(key);
        break;
      }
      case StepKind::kRead:
        RC_ASSERT(set.read(key, [&](const auto& k) { return k == key; }) ==
                  (present ? std::optional(true) : std::nullopt));
        RC_ASSERT(set.contains(key) == present);
        break;
      case StepKind::kUpdate:
        RC_ASSERT(set.replace(key) == expected);
        break;
      case StepKind::kRange: {
        const std::size_t before = model.size();
        const Key least = Config::key(s.other);
        std::erase_if(model, [&](const Key& k) { return k < least; });
        RC_ASSERT(set.retain([&](const auto& k) { return !(Key(k) < least); }) ==
                  std::pair(model.size(), before - model.size()));
        break;
      }
      case StepKind::kClear:
        RC_ASSERT(set.clear() == model.size());
        model.clear();
        break;
      case StepKind::kIterate: {
        std::set<Key> seen;
        set.scan([&](const auto& k) { RC_ASSERT(seen.insert(Key(k)).second); });
        RC_ASSERT(seen == model);
        RC_ASSERT(set.any([&](const auto& k) { return k == key; }) == present);
        break;
      }
      default:
        RC_ASSERT(set.insert(key) == !present);
        model.insert(key);
    }
    RC_ASSERT(set.len() == model.size());
  }
}

RC_GTEST_PROP(HashMapModel, agrees_with_a_map_of_integers, ()) { map_agrees_with_a_map<Integers>(); }
RC_GTEST_PROP(HashMapModel, agrees_with_a_map_of_integers_to_strings, ()) {
  map_agrees_with_a_map<IntegersToStrings>();
}
RC_GTEST_PROP(HashMapModel, agrees_with_a_map_of_strings, ()) { map_agrees_with_a_map<Strings>(); }
RC_GTEST_PROP(HashMapModel, agrees_with_a_map_of_vectors, ()) { map_agrees_with_a_map<Vectors, HashOfVector>(); }
RC_GTEST_PROP(HashMapModel, agrees_with_a_map_when_hashes_collide, ()) { map_agrees_with_a_map<Integers, TwoHashes>(); }
RC_GTEST_PROP(HashMapModel, agrees_with_a_map_when_hashes_are_equal, ()) { map_agrees_with_a_map<Strings, OneHash>(); }

RC_GTEST_PROP(HashSetModel, agrees_with_a_set_of_integers, ()) { set_agrees_with_a_set<Integers>(); }
RC_GTEST_PROP(HashSetModel, agrees_with_a_set_of_strings, ()) { set_agrees_with_a_set<Strings>(); }
RC_GTEST_PROP(HashSetModel, agrees_with_a_set_when_hashes_collide, ()) { set_agrees_with_a_set<Integers, TwoHashes>(); }

RC_GTEST_PROP(HashIndexModel, changes_as_a_map_of_integers, ()) { index_agrees_with_a_map<Integers>(); }
RC_GTEST_PROP(HashIndexModel, changes_as_a_map_of_strings, ()) { index_agrees_with_a_map<Strings>(); }
RC_GTEST_PROP(HashIndexModel, changes_as_a_map_of_vectors, ()) { index_agrees_with_a_map<Vectors, HashOfVector>(); }
RC_GTEST_PROP(HashIndexModel, changes_as_a_map_when_hashes_collide, ()) {
  index_agrees_with_a_map<Integers, TwoHashes>();
}

}  // namespace
}  // namespace scree::test
