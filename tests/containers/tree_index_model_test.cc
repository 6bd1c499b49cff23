// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex beside std::map under generated operations: ranges over every kind of bound and cursors that walk both ways
// included.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
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

// `choice` % 3 is the kind of the lower bound, `choice` / 3 that of the upper one.
template <class Config, class Index>
void check_range(const Index& index, const Model<Config>& model, const Step& s) {
  const auto low = Config::key(s.key), high = Config::key(s.other);
  std::vector<std::pair<typename Config::Key, typename Config::Value>> expected;
  for (const auto& [key, value] : model) {
    const bool above = s.choice % 3 == 0 || (s.choice % 3 == 1 ? key >= low : key > low);
    const bool below = s.choice / 3 == 0 || (s.choice / 3 == 1 ? key <= high : key < high);
    if (above && below) expected.emplace_back(key, value);
  }
  const ebr::Barrier barrier;
  const auto with_upper = [&](auto lower) {
    switch (s.choice / 3) {
      case 0: return collect<Config>(index.range(lower, unbounded, barrier));
      case 1: return collect<Config>(index.range(lower, included(high), barrier));
      default: return collect<Config>(index.range(lower, excluded(high), barrier));
    }
  };
  const auto seen = s.choice % 3 == 0   ? with_upper(unbounded)
                    : s.choice % 3 == 1 ? with_upper(included(low))
                                        : with_upper(excluded(low));
  RC_ASSERT(seen == expected);
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
RC_GTEST_PROP(TreeIndexModel, agrees_with_a_map_of_vectors, ()) { agrees_with_a_map<Vectors, true>(); }

}  // namespace
}  // namespace scree::test
