// SPDX-License-Identifier: Apache-2.0
//
// The packages as Scree keeps them: four indexes that always agree, because what belongs together is written in one
// batch.
//
//   packages     name                 -> stanza
//   by_section   section \0 name      -> nothing
//   dependants   dependency \0 name   -> nothing
//   progress     slot / pass          -> nothing
//
// (Sections have slashes in them, "non-free/libs", so a slash could not end one.) The work is cut into slots: the
// packages of one slot are written in one batch in each pass, and that batch notes in `progress` that it was.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <scree/engine.h>

#include "package.h"

namespace package_index {

struct BatchId {
  std::uint32_t slot = 0;
  std::uint32_t pass = 0;
};

std::string progress_key(BatchId id);
std::optional<BatchId> parse_progress_key(std::string_view key);

// An entry of by_section or dependants: what the package `name` is found under.
std::string entry_key(std::string_view under, std::string_view name);
// The two parts of such a key; the name is empty if the key has no separator.
std::pair<std::string_view, std::string_view> split_entry_key(std::string_view key);

class Store {
 public:
  // Unless it may be created, a store that is not there is an error.
  static scree::Status open(const std::string& directory, bool create, std::unique_ptr<Store>* store);

  // Brings the packages of a slot into the form that they have in a pass, and notes it. A slot belongs to one thread
  // at a time, because what is written depends on what was read.
  scree::Status write_slot(std::span<const Stanza> slot, BatchId id);

  // With a null snapshot these read the newest state.
  scree::Status get_package(const scree::Snapshot* snapshot, std::string_view name, std::string* stanza) const;
  scree::Status contains(const scree::Snapshot* snapshot, const scree::Index& index, std::string_view key,
                         bool* found) const;
  // Calls `visit` with the name of each package that has an entry under exactly `under`.
  scree::Status for_each_under(const scree::Snapshot* snapshot, const scree::Index& index, std::string_view under,
                               const std::function<void(std::string_view)>& visit) const;
  // Nothing in `*pass` if the slot was never written.
  scree::Status last_pass(const scree::Snapshot* snapshot, std::uint32_t slot,
                          std::optional<std::uint32_t>* pass) const;

  const scree::Index& packages() const { return packages_; }
  const scree::Index& by_section() const { return by_section_; }
  const scree::Index& dependants() const { return dependants_; }
  const scree::Index& progress() const { return progress_; }
  scree::Engine& engine() { return *engine_; }
  const scree::Engine& engine() const { return *engine_; }

 private:
  scree::Status add_changes(const Stanza& stanza, std::uint32_t pass, scree::WriteBatch* batch) const;

  std::unique_ptr<scree::Engine> engine_;
  scree::Index packages_;
  scree::Index by_section_;
  scree::Index dependants_;
  scree::Index progress_;
};

}  // namespace package_index
