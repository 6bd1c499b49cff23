// SPDX-License-Identifier: Apache-2.0

#include "check.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace package_index {

using scree::Index;
using scree::Snapshot;
using scree::Status;

namespace {

// "libc6\0bash" as "libc6 / bash".
std::string readable(std::string_view key) {
  const auto [under, name] = split_entry_key(key);
  return std::string(under) + " / " + std::string(name);
}

std::string first_difference(std::string_view expected, std::string_view found) {
  const auto at = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  const auto offset = static_cast<std::size_t>(at.first - expected.begin());
  return "expected " + std::to_string(expected.size()) + " bytes, found " + std::to_string(found.size()) +
         ", different from byte " + std::to_string(offset) + ": '" + std::string(expected.substr(offset, 40)) +
         "' / '" + std::string(found.substr(offset, 40)) + "'";
}

// The packages of a slot are what its last pass made of them. Appends those that are there to `*present`.
void check_slot(const Store& store, const Snapshot* snapshot, std::span<const Stanza> stanzas, std::uint32_t slot,
                std::vector<Package>* present, Disagreements* found) {
  std::optional<std::uint32_t> pass;
  if (Status status = store.last_pass(snapshot, slot, &pass); !status.is_ok()) {
    found->add("progress of slot " + std::to_string(slot), status);
    return;
  }
  const std::string where =
      " (slot " + std::to_string(slot) + ", " + (pass ? "pass " + std::to_string(*pass) : "no pass") + ")";
  for (const Stanza& stanza : slot_of(stanzas, slot)) {
    const std::optional<std::string> expected = pass ? variant(stanza, *pass) : std::nullopt;
    std::string text;
    const Status status = store.get_package(snapshot, stanza.name, &text);
    if (!status.is_ok() && !status.is_not_found()) {
      found->add("package " + stanza.name + where, status);
    } else if (status.is_ok() != expected.has_value()) {
      found->add("package " + stanza.name + where +
                 (expected ? " should be there and is not" : " is there and should not be"));
    } else if (expected && text != *expected) {
      found->add("package " + stanza.name + where + ": " + first_difference(*expected, text));
    }
    if (!status.is_ok()) continue;
    if (std::optional<Package> package = parse_stanza(text)) present->push_back(std::move(*package));
  }
}

void expect_entry(const Store& store, const Snapshot* snapshot, const Index& index, const std::string& key,
                  Disagreements* found) {
  bool there = false;
  const Status status = store.contains(snapshot, index, key, &there);
  const std::string what = std::string(index.name()) + ": " + readable(key);
  if (!status.is_ok()) {
    found->add(what, status);
  } else if (!there) {
    found->add(what + " is missing, though the package says so");
  }
}

// Each package that `index` lists under `under` says itself, by `says_so`, that it belongs there.
template <typename SaysSo>
void check_listed(const Store& store, const Snapshot* snapshot, const Index& index, const std::string& under,
                  const SaysSo& says_so, Disagreements* found) {
  const std::string list = std::string(index.name()) + ": ";
  const Status status = store.for_each_under(snapshot, index, under, [&](std::string_view name) {
    std::string text;
    const Status got = store.get_package(snapshot, name, &text);
    const std::string what = list + under + " / " + std::string(name);
    if (got.is_not_found()) {
      found->add(what + " is listed, but there is no such package");
    } else if (!got.is_ok()) {
      found->add(what, got);
    } else if (const auto package = parse_stanza(text); !package || !says_so(*package)) {
      found->add(what + " is listed, but the package says otherwise");
    }
  });
  if (!status.is_ok()) found->add(list + under, status);
}

// `index` has exactly the keys `expected`.
std::size_t check_all_entries(const Store& store, const Snapshot* snapshot, const Index& index,
                              std::vector<std::string> expected, Disagreements* found) {
  std::sort(expected.begin(), expected.end());
  scree::IteratorOptions options;
  options.snapshot = snapshot;
  const auto entry = store.engine().iterator(options, index);
  const std::string list = std::string(index.name()) + ": ";
  std::size_t count = 0;
  auto next = expected.begin();
  for (entry->seek_to_first(); entry->valid(); entry->next(), ++count) {
    for (; next != expected.end() && *next < entry->key(); ++next) {
      found->add(list + readable(*next) + " is missing, though the package says so");
    }
    if (next != expected.end() && *next == entry->key()) {
      ++next;
    } else {
      found->add(list + readable(entry->key()) + " is listed, but no package says so");
    }
  }
  if (!entry->status().is_ok()) {
    found->add(list + "scan", entry->status());
    return count;
  }
  for (; next != expected.end(); ++next) {
    found->add(list + readable(*next) + " is missing, though the package says so");
  }
  return count;
}

}  // namespace

void Disagreements::add(std::string text) {
  constexpr std::size_t kKept = 20;
  ++count_;
  if (texts_.size() < kKept) texts_.push_back(std::move(text));
}

void Disagreements::add(const std::string& what, const Status& status) { add(what + ": " + status.to_string()); }

void Disagreements::print() const {
  for (const std::string& text : texts_) std::fprintf(stderr, "DISAGREEMENT: %s\n", text.c_str());
  if (count_ > texts_.size()) std::fprintf(stderr, "DISAGREEMENT: and %zu more\n", count_ - texts_.size());
}

void check_a_part(const Store& store, std::span<const Stanza> stanzas, std::mt19937_64& random, Disagreements* found) {
  const std::unique_ptr<const Snapshot> snapshot = store.engine().snapshot();
  if (snapshot == nullptr) {
    found->add("the engine gave no snapshot");
    return;
  }
  std::vector<Package> present;
  const auto slot = static_cast<std::uint32_t>(random() % slot_count(stanzas));
  check_slot(store, snapshot.get(), stanzas, slot, &present, found);
  if (present.empty()) return;
  for (const Package& package : present) {
    expect_entry(store, snapshot.get(), store.by_section(), entry_key(package.section, package.name), found);
    for (const std::string& dependency : package.dependencies) {
      expect_entry(store, snapshot.get(), store.dependants(), entry_key(dependency, package.name), found);
    }
  }

  const Package& one = present[random() % present.size()];
  if (random() % 2 == 0 || one.dependencies.empty()) {
    check_listed(
        store, snapshot.get(), store.by_section(), one.section,
        [&](const Package& package) { return package.section == one.section; }, found);
  } else {
    const std::string& dependency = one.dependencies[random() % one.dependencies.size()];
    check_listed(
        store, snapshot.get(), store.dependants(), dependency,
        [&](const Package& package) {
          return std::binary_search(package.dependencies.begin(), package.dependencies.end(), dependency);
        },
        found);
  }
}

Totals check_everything(const Store& store, std::span<const Stanza> stanzas, Disagreements* found) {
  Totals totals;
  const std::unique_ptr<const Snapshot> snapshot = store.engine().snapshot();
  if (snapshot == nullptr) {
    found->add("the engine gave no snapshot");
    return totals;
  }
  std::vector<Package> present;
  for (std::uint32_t slot = 0; slot < slot_count(stanzas); ++slot) {
    check_slot(store, snapshot.get(), stanzas, slot, &present, found);
  }
  std::vector<std::string> names;
  std::vector<std::string> sections;
  std::vector<std::string> dependants;
  for (const Package& package : present) {
    names.push_back(package.name);
    sections.push_back(entry_key(package.section, package.name));
    for (const std::string& dependency : package.dependencies) {
      dependants.push_back(entry_key(dependency, package.name));
    }
  }
  totals.packages = check_all_entries(store, snapshot.get(), store.packages(), std::move(names), found);
  totals.section_entries = check_all_entries(store, snapshot.get(), store.by_section(), std::move(sections), found);
  totals.dependant_entries = check_all_entries(store, snapshot.get(), store.dependants(), std::move(dependants), found);
  return totals;
}

void check_acknowledged(const Store& store, std::span<const BatchId> acknowledged, Disagreements* found) {
  for (const BatchId& id : acknowledged) {
    bool there = false;
    const std::string what = "acknowledged batch " + progress_key(id);
    const Status status = store.contains(nullptr, store.progress(), progress_key(id), &there);
    if (!status.is_ok()) {
      found->add(what, status);
    } else if (!there) {
      found->add(what + " is lost");
    }
  }
}

}  // namespace package_index
