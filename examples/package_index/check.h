// SPDX-License-Identifier: Apache-2.0
//
// Do the indexes agree? Every check looks at one snapshot, so writers may go on meanwhile.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "store.h"

namespace package_index {

// What disagrees, in words; reads that failed are among them. Keeps the first few and counts the rest.
class Disagreements {
 public:
  void add(std::string text);
  void add(const std::string& what, const scree::Status& status);
  bool none() const { return count_ == 0; }
  void print() const;  // to standard error

 private:
  std::vector<std::string> texts_;
  std::size_t count_ = 0;
};

struct Totals {
  std::size_t packages = 0;
  std::size_t section_entries = 0;
  std::size_t dependant_entries = 0;
};

// Looks at one random part of the store: a slot against its progress and its secondary entries, or all that one
// section or one dependency lists against the packages.
void check_a_part(const Store& store, std::span<const Stanza> stanzas, std::mt19937_64& random, Disagreements* found);

// Looks at everything: the packages are those that the progress of their slots says, byte for byte, and no others; the
// secondary indexes hold exactly what follows from the packages.
Totals check_everything(const Store& store, std::span<const Stanza> stanzas, Disagreements* found);

// Every one of these batches was noted in `progress`.
void check_acknowledged(const Store& store, std::span<const BatchId> acknowledged, Disagreements* found);

// The slots into which the work is cut.
inline constexpr std::size_t kSlotSize = 64;
inline std::uint32_t slot_count(std::span<const Stanza> stanzas) {
  return static_cast<std::uint32_t>((stanzas.size() + kSlotSize - 1) / kSlotSize);
}
inline std::span<const Stanza> slot_of(std::span<const Stanza> stanzas, std::uint32_t slot) {
  const std::size_t begin = slot * kSlotSize;
  return stanzas.subspan(begin, std::min(kSlotSize, stanzas.size() - begin));
}

}  // namespace package_index
