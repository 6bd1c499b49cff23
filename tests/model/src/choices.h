// SPDX-License-Identifier: Apache-2.0
//
// The nondeterminism of an execution: a list of choices. Depth-first search runs the program again with the last choice
// that has an alternative changed.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace scree::model {

class Choices {
 public:
  // Goes back to the first choice of the next execution; what was chosen before is chosen again.
  void rewind() { next_ = 0; }
  bool replaying() const { return next_ < taken_.size(); }

  // The choice among `count` at this point, where it was made before.
  std::uint32_t again(std::uint32_t count) {
    Choice& choice = taken_[next_++];
    // A schedule from elsewhere may not fit this program.
    if (choice.taken >= count) choice.taken = static_cast<std::uint16_t>(count - 1);
    choice.count = static_cast<std::uint16_t>(count);
    return choice.taken;
  }
  void take(std::uint32_t choice, std::uint32_t count) {
    taken_.push_back({static_cast<std::uint16_t>(choice), static_cast<std::uint16_t>(count)});
    ++next_;
  }

  // Moves to the next execution in depth-first order. False if there is none.
  bool advance() {
    taken_.resize(next_);
    while (!taken_.empty() && taken_.back().taken + 1u == taken_.back().count) taken_.pop_back();
    if (taken_.empty()) return false;
    ++taken_.back().taken;
    return true;
  }
  void clear() {
    taken_.clear();
    next_ = 0;
  }

  // One character per choice; runs of the first alternative as (n); those at the end are left out.
  std::string to_text() const;
  // False if the text is none of to_text().
  bool from_text(const std::string& text);

 private:
  struct Choice {
    std::uint16_t taken;
    std::uint16_t count;
  };
  std::vector<Choice> taken_;
  std::size_t next_ = 0;
};

}  // namespace scree::model
