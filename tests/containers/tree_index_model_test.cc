// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex beside std::map under generated operations: ranges over every kind of bound, neighbours, handles of
// entries, pops and cursors that walk both ways included.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <scree/tree_index.h>

#include "index_configs.h"
#include "index_steps.h"

namespace scree::test {
namespace {

constexpr auto kSameEntry = [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; };

template <class Config, class Range>
std::vector<std::pair<typename Config::Key, typename Config::Value>> collect(Range range) {
  std::vector<std::pair<typename Config::Key, typename Config::Value>> entries;
  for (auto [key, value] : range) entries.emplace_back(typename Config::Key(key), value);
  return entries;
}

// `choice` % 3 is the kind of the lower bound, `choice` / 3 that of the upper one. Both ways, and by scans under
// several barriers.
template <class Config, class Index>
void check_range(const Index& index, const Model<Config>& model, const Step& s) {
  using Entries = std::vector<std::pair<typename Config::Key, typename Config::Value>>;
  const auto low = Config::key(s.key), high = Config::key(s.other);
  Entries expected;
  for (const auto& [key, value] : model) {
    const bool above = s.choice % 3 == 0 || (s.choice % 3 == 1 ? key >= low : key > low);
    const bool below = s.choice / 3 == 0 || (s.choice / 3 == 1 ? key <= high : key < high);
    if (above && below) expected.emplace_back(key, value);
  }
  const auto check = [&](auto lower, auto upper) {
    Entries scanned;
    const auto visit = [&](const auto& key, const typename Config::Value& value) {
      scanned.emplace_back(typename Config::Key(key), value);
    };
    RC_ASSERT(index.scan(lower, upper, visit, s.other % 5) == expected.size());
    RC_ASSERT(scanned == expected);
    const ebr::Barrier barrier;
    RC_ASSERT(collect<Config>(index.range(lower, upper, barrier)) == expected);
    std::reverse(scanned.begin(), scanned.end());
    RC_ASSERT(collect<Config>(index.reverse_range(lower, upper, barrier)) == scanned);
  };
  const auto with_upper = [&](auto lower) {
    switch (s.choice / 3) {
      case 0:
        return check(lower, unbounded);
      case 1:
        return check(lower, included(high));
      default:
        return check(lower, excluded(high));
    }
  };
  s.choice % 3 == 0 ? with_upper(unbounded) : s.choice % 3 == 1 ? with_upper(included(low)) : with_upper(excluded(low));
}

template <class Map, class Reference, class It>
void check_shown(const Map& model, const std::optional<Reference>& shown, It it) {
  RC_ASSERT(shown.has_value() == (it != model.end()));
  if (shown) RC_ASSERT(shown->first == it->first && shown->second == it->second);
}

template <class Config, class Index>
void check_neighbours(const Index& index, const Model<Config>& model, const Step& s) {
  const ebr::Barrier barrier;
  const auto key = Config::key(s.key);
  const auto before = [&](auto it) { return it == model.begin() ? model.end() : std::prev(it); };
  check_shown(model, index.lower_bound(key, barrier), model.lower_bound(key));
  check_shown(model, index.upper_bound(key, barrier), model.upper_bound(key));
  check_shown(model, index.floor(key, barrier), before(model.upper_bound(key)));
  check_shown(model, index.below(key, barrier), before(model.lower_bound(key)));
  check_shown(model, index.first(barrier), model.begin());
  check_shown(model, index.last(barrier), before(model.end()));
  check_shown(model, index.peek_entry(key, barrier), model.find(key));
  if constexpr (std::is_integral_v<typename Config::Key>) {
    auto nearest = model.lower_bound(key);
    const auto low = before(model.upper_bound(key));
    if (low != model.end() && (nearest == model.end() || key - low->first <= nearest->first - key)) nearest = low;
    check_shown(model, index.nearest(key, barrier), nearest);
  }
}

template <class Config, class Index>
void check_update(Index& index, Model<Config>& model, const Step& s) {
  const auto found = model.find(Config::key(s.key));
  const bool updated = index.update(Config::key(s.key), [&](const typename Config::Value& value) {
    RC_ASSERT(found != model.end() && value == found->second);
    return Config::value(s.other);
  });
  RC_ASSERT(updated == (found != model.end()));
  if (updated) found->second = Config::value(s.other);
}

// What two handles of one key do in turn.
template <class Config, class Index>
void check_entry(Index& index, Model<Config>& model, const Step& s) {
  using Value = typename Config::Value;
  const ebr::Barrier barrier;
  const auto key = Config::key(s.key);
  auto first = index.entry(key, barrier), second = index.entry(key, barrier);
  const auto check = [&](const auto& entry) {
    const auto found = model.find(key);
    RC_ASSERT(entry.is_occupied() == (found != model.end()));
    if (entry.is_occupied()) RC_ASSERT(entry.key() == key && entry.value() == found->second);
  };
  check(first);
  const bool present = first.is_occupied();
  // No value that the key can have had.
  const Value changed = Config::value(1000 + s.other);
  switch (s.choice % 4) {
    case 0:
      RC_ASSERT(first.remove() == present);
      model.erase(key);
      RC_ASSERT(second.replace(changed) == !present);
      if (!present) model[key] = changed;
      break;
    case 1:
      RC_ASSERT(first.replace(changed));
      model[key] = changed;
      RC_ASSERT(!second.remove());
      break;
    case 2:
      RC_ASSERT(first.or_insert(changed) == (present ? model[key] : changed));
      model.emplace(key, changed);
      RC_ASSERT(second.replace(changed) == present);
      if (present) model[key] = changed;
      break;
    case 3:
      first.and_modify([&](const Value& value) {
        RC_ASSERT(value == model[key]);
        return changed;
      });
      if (present) model[key] = changed;
      second.and_modify([&](const Value&) { return Config::value(s.other); });
      if (present) model[key] = Config::value(s.other);
      check(second);
      return;
  }
  if (second.is_occupied()) check(second);
  check(index.entry(key, barrier));
  // As it was, so that values stay among the few.
  RC_ASSERT(index.upsert(key, Config::value(s.other)) == model.contains(key));
  model[key] = Config::value(s.other);
}

template <class Config, class Index>
void check_pop(Index& index, Model<Config>& model, const Step& s) {
  const ebr::Barrier barrier;
  const bool is_first = s.choice % 2 == 0;
  for (std::uint8_t n = 0; n <= s.choice; ++n) {
    const auto popped = is_first ? index.pop_first(barrier) : index.pop_last(barrier);
    const auto it = model.empty() || is_first ? model.begin() : std::prev(model.end());
    check_shown(model, popped, it);
    if (popped) model.erase(it);
  }
}

// Seeks, then walks back and forth.
template <class Config, class Index>
void check_walk(const Index& index, const Model<Config>& model, const Step& s) {
  const ebr::Barrier barrier;
  auto cursor = index.cursor(barrier);
  const auto target = Config::key(s.key);
  auto it = model.end();
  switch (s.choice % 4) {
    case 0:
      cursor.seek_to_first();
      it = model.begin();
      break;
    case 1:
      cursor.seek_to_last();
      if (!model.empty()) it = std::prev(model.end());
      break;
    case 2:
      cursor.seek(target);
      it = model.lower_bound(target);
      break;
    case 3:
      cursor.seek_for_prev(target);
      it = model.upper_bound(target);
      it = it == model.begin() ? model.end() : std::prev(it);
      break;
  }
  std::uint64_t turns = s.other * 0x9e3779b97f4a7c15u + s.choice;
  for (int n = 0; n < 200; ++n, turns = turns * 6364136223846793005u + 1442695040888963407u) {
    RC_ASSERT(cursor.valid() == (it != model.end()));
    if (!cursor.valid()) return;
    RC_ASSERT(cursor.key() == it->first);
    RC_ASSERT(cursor.value() == it->second);
    // Long runs in one direction, now and then a turn.
    const bool forward = (turns >> 60) == 0 ? s.choice < 5 : s.choice >= 5;
    if (forward) {
      cursor.next();
      ++it;
    } else {
      cursor.prev();
      it = it == model.begin() ? model.end() : std::prev(it);
    }
  }
}

template <class Config, bool kSharedCells>
void agrees_with_a_map() {
  using Value = typename Config::Value;
  TreeIndex<typename Config::Key, Value> index;
  Model<Config> model;
  const auto check_entries = [&] {
    const auto entries = entries_of<Config>(index);
    RC_ASSERT(std::equal(entries.begin(), entries.end(), model.begin(), model.end(), kSameEntry));
  };
  const ebr::Barrier barrier;
  HeldValues<Value> held;
  for (const Step& s : *steps()) {
    if (!run_common_step<Config, kSharedCells>(s, index, model)) {
      if (s.kind == StepKind::kIterate) check_entries();
      if (s.kind == StepKind::kRange) check_range<Config>(index, model, s);
      if (s.kind == StepKind::kWalk) check_walk<Config>(index, model, s);
      if (s.kind == StepKind::kNeighbours) check_neighbours<Config>(index, model, s);
      if (s.kind == StepKind::kUpdate) check_update<Config>(index, model, s);
      if (s.kind == StepKind::kEntry) check_entry<Config>(index, model, s);
      if (s.kind == StepKind::kPop) check_pop<Config>(index, model, s);
    }
    held.hold(index.peek(Config::key(s.key), barrier));
    RC_ASSERT(index.is_empty() == model.empty());
  }
  check_entries();
  RC_ASSERT(index.len() == model.size());
  RC_ASSERT(index.depth() >= 1u);
  RC_ASSERT(held.unchanged());
}

RC_GTEST_PROP(TreeIndexModel, agrees_with_a_map_of_integers, ()) { agrees_with_a_map<Integers, false>(); }
RC_GTEST_PROP(TreeIndexModel, agrees_with_a_map_of_integers_to_strings, ()) {
  agrees_with_a_map<IntegersToStrings, true>();
}
RC_GTEST_PROP(TreeIndexModel, agrees_with_a_map_of_strings, ()) { agrees_with_a_map<Strings, true>(); }
RC_GTEST_PROP(TreeIndexModel, agrees_with_a_map_of_strings_to_pairs, ()) { agrees_with_a_map<StringsToPairs, false>(); }
RC_GTEST_PROP(TreeIndexModel, agrees_with_a_map_of_vectors_to_integers, ()) {
  agrees_with_a_map<VectorsToIntegers, false>();
}
RC_GTEST_PROP(TreeIndexModel, agrees_with_a_map_of_vectors, ()) { agrees_with_a_map<Vectors, true>(); }

}  // namespace
}  // namespace scree::test
