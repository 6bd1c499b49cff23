// SPDX-License-Identifier: Apache-2.0
//
// The nondeterminism of an execution: a list of choices. Depth-first search runs the program again with the last choice
// that has an alternative changed.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace scree::model {

// Of a node's alternatives, by their positions.
using Alternatives = std::uint16_t;
inline constexpr std::uint32_t kMaxCandidates = 12;  // four threads, their delayed stores, their part of a membarrier

struct Choice {
  std::uint16_t taken;
  std::uint16_t count;
  bool of_thread = false;
  // Who may go next: those that must be tried, those that were, those that need not be (the sleep set); and who they
  // are.
  Alternatives wanted = 0;
  Alternatives done = 0;
  Alternatives asleep = 0;
  std::array<std::uint8_t, kMaxCandidates> candidates{};
};

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
    add({.taken = static_cast<std::uint16_t>(choice), .count = static_cast<std::uint16_t>(count)});
  }
  void add(const Choice& choice) {
    taken_.push_back(choice);
    ++next_;
  }

  // Of the last choice that was made or made again.
  int last() const { return static_cast<int>(next_) - 1; }
  Choice& at(int index) { return taken_[static_cast<std::size_t>(index)]; }

  // Moves to the next execution in depth-first order. False if there is none.
  bool advance();
  void clear() {
    taken_.clear();
    next_ = 0;
  }

  // One character per choice; runs of the first alternative as (n); those at the end are left out.
  std::string to_text() const;
  // False if the text is none of to_text().
  bool from_text(const std::string& text);

 private:
  std::vector<Choice> taken_;
  std::size_t next_ = 0;
};

}  // namespace scree::model
