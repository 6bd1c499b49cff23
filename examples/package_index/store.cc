// SPDX-License-Identifier: Apache-2.0

#include "store.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iterator>
#include <utility>
#include <vector>

namespace package_index {

using scree::Index;
using scree::Snapshot;
using scree::Status;

namespace {

Status open_index(scree::Engine& engine, std::string_view name, bool create, Index* index) {
  Status status = engine.open_index(name, scree::IndexKind::kTree, index);
  if (status.is_not_found() && create) status = engine.create_index(name, scree::IndexKind::kTree, index);
  return status;
}

// The keys that a package has in one secondary index, sorted.
std::vector<std::string> section_keys(const std::optional<Package>& package) {
  if (!package) return {};
  return {entry_key(package->section, package->name)};
}

std::vector<std::string> dependant_keys(const std::optional<Package>& package) {
  std::vector<std::string> keys;
  if (!package) return keys;
  for (const std::string& dependency : package->dependencies) keys.push_back(entry_key(dependency, package->name));
  std::sort(keys.begin(), keys.end());
  return keys;
}

void add_difference(const Index& index, const std::vector<std::string>& before, const std::vector<std::string>& after,
                    scree::WriteBatch* batch) {
  std::vector<std::string> keys;
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(), std::back_inserter(keys));
  for (const std::string& key : keys) batch->erase(index, key);
  keys.clear();
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(), std::back_inserter(keys));
  for (const std::string& key : keys) batch->put(index, key, "");
}

}  // namespace

std::string progress_key(BatchId id) {
  char key[24];
  std::snprintf(key, sizeof key, "%010u/%010u", static_cast<unsigned>(id.slot), static_cast<unsigned>(id.pass));
  return key;
}

std::optional<BatchId> parse_progress_key(std::string_view key) {
  if (key.size() != 21 || key[10] != '/') return std::nullopt;
  BatchId id;
  const char* begin = key.data();
  const auto slot = std::from_chars(begin, begin + 10, id.slot);
  const auto pass = std::from_chars(begin + 11, begin + 21, id.pass);
  if (slot.ec != std::errc() || slot.ptr != begin + 10 || pass.ec != std::errc() || pass.ptr != begin + 21) {
    return std::nullopt;
  }
  return id;
}

std::string entry_key(std::string_view under, std::string_view name) {
  std::string key(under);
  key += '\0';
  key += name;
  return key;
}

std::pair<std::string_view, std::string_view> split_entry_key(std::string_view key) {
  const std::size_t end = key.find('\0');
  if (end == std::string_view::npos) return {key, {}};
  return {key.substr(0, end), key.substr(end + 1)};
}

Status Store::open(const std::string& directory, bool create, std::unique_ptr<Store>* store) {
  scree::Options options;
  options.create_if_missing = create;
  // Small, so that even this much data goes through many freezes and flushes.
  options.memtable_bytes = 8u << 20;
  options.memory_budget = 32u << 20;
  options.wal_segment_bytes = 8u << 20;
  auto opened = std::make_unique<Store>();
  if (Status status = scree::Engine::open(options, directory, &opened->engine_); !status.is_ok()) return status;
  for (const auto& [name, index] : {std::pair<const char*, Index*>{"packages", &opened->packages_},
                                    {"by_section", &opened->by_section_},
                                    {"dependants", &opened->dependants_},
                                    {"progress", &opened->progress_}}) {
    if (Status status = open_index(*opened->engine_, name, create, index); !status.is_ok()) return status;
  }
  *store = std::move(opened);
  return Status::ok();
}

Status Store::add_changes(const Stanza& stanza, std::uint32_t pass, scree::WriteBatch* batch) const {
  std::optional<Package> before;
  std::string old_text;
  Status status = get_package(nullptr, stanza.name, &old_text);
  if (status.is_ok()) {
    before = parse_stanza(old_text);
  } else if (!status.is_not_found()) {
    return status;
  }
  std::optional<Package> after;
  if (const std::optional<std::string> text = variant(stanza, pass)) {
    after = parse_stanza(*text);
    batch->put(packages_, stanza.name, *text);
  } else if (before) {
    batch->erase(packages_, stanza.name);
  }
  add_difference(by_section_, section_keys(before), section_keys(after), batch);
  add_difference(dependants_, dependant_keys(before), dependant_keys(after), batch);
  return Status::ok();
}

Status Store::write_slot(std::span<const Stanza> slot, BatchId id) {
  scree::WriteBatch batch;
  for (const Stanza& stanza : slot) {
    if (Status status = add_changes(stanza, id.pass, &batch); !status.is_ok()) return status;
  }
  batch.put(progress_, progress_key(id), "");
  return engine_->write(scree::WriteOptions{}, batch);
}

Status Store::get_package(const Snapshot* snapshot, std::string_view name, std::string* stanza) const {
  scree::ReadOptions options;
  options.snapshot = snapshot;
  return engine_->get(options, packages_, name, stanza);
}

Status Store::contains(const Snapshot* snapshot, const Index& index, std::string_view key, bool* found) const {
  scree::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  Status status = engine_->get(options, index, key, &value);
  *found = status.is_ok();
  return status.is_not_found() ? Status::ok() : status;
}

Status Store::for_each_under(const Snapshot* snapshot, const Index& index, std::string_view under,
                             const std::function<void(std::string_view)>& visit) const {
  const std::string lower = entry_key(under, "");
  std::string upper = lower;
  upper.back() = '\1';  // the first key after all that begin with `lower`
  scree::IteratorOptions options;
  options.snapshot = snapshot;
  options.lower_bound = &lower;
  options.upper_bound = &upper;
  const auto entry = engine_->iterator(options, index);
  for (entry->seek_to_first(); entry->valid(); entry->next()) visit(split_entry_key(entry->key()).second);
  return entry->status();
}

Status Store::last_pass(const Snapshot* snapshot, std::uint32_t slot, std::optional<std::uint32_t>* pass) const {
  pass->reset();
  const std::string lower = progress_key({slot, 0});
  scree::IteratorOptions options;
  options.snapshot = snapshot;
  options.lower_bound = &lower;
  const auto entry = engine_->iterator(options, progress_);
  entry->seek_for_prev(progress_key({slot, UINT32_MAX}));
  if (entry->valid()) {
    const std::optional<BatchId> id = parse_progress_key(entry->key());
    if (!id) return Status::corruption("progress: the key '" + std::string(entry->key()) + "' does not parse");
    *pass = id->pass;
  }
  return entry->status();
}

}  // namespace package_index
